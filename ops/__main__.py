"""Let ``python -m ops`` be ``ops``."""

from ops.cli import main

main()
