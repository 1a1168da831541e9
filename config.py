"""pyinfra's own settings; it reads this file before the inventory."""

import sys
from pathlib import Path

from pyinfra_cli.util import PYTHON_CODES

# The inventory of this folder, and not that of a checkout which is installed for editing.
sys.path.insert(0, str(Path.cwd()))

# pyinfra opens its inventory argument as a file. Ours is a package, so that `ops` reads the very
# same hosts: stand the import in for the source that pyinfra would read.
for name in ("inventory", "inventory/"):
    PYTHON_CODES[name] = compile("from inventory import *", name, "exec")
