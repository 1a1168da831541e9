"""Settings of pyinfra, which reads this file before the inventory."""

import sys
from pathlib import Path

from pyinfra_cli.util import PYTHON_CODES

# Import the `inventory` of this folder, not that of another checkout on Python's path.
sys.path.insert(0, str(Path.cwd()))

# pyinfra opens its inventory argument as a file, but ours is a package, which `ops` reads, too.
# This fills pyinfra's cache of compiled files with an import of the package.
for name in ("inventory", "inventory/"):
    PYTHON_CODES[name] = compile("from inventory import *", name, "exec")
