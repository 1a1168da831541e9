"""pyinfra's own settings; it reads this file before the inventory."""

from pyinfra_cli.util import PYTHON_CODES

# pyinfra opens its inventory argument as a file. Ours is a package, so that `ops` reads the very
# same hosts: stand the import in for the source that pyinfra would read.
for name in ("inventory", "inventory/"):
    PYTHON_CODES[name] = compile("from inventory import *", name, "exec")
