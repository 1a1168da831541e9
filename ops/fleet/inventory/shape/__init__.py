"""The shapes of the inventory's files: one class for each table, one attribute for each field.

docs/inventory.md is generated from the docstrings of these modules and of ``values``:

* The docstring of a class begins with the heading of its table. If two files have the table, the
  heading names the file.
* The docstring of a field has a line ``Example: field = value``, and a line ``Since: 0.2`` if
  version 0.1 did not have the field.
"""

from ops.fleet.inventory.shape.files import HostsFile, IssuedFile, KeysFile, SecretsFile

__all__ = ["HostsFile", "IssuedFile", "KeysFile", "SecretsFile"]
