"""The folders of templates."""

from pathlib import Path

import ops

FOLDER = "templates"
"""The name of the folder of templates, both in a fleet and in this repository."""


def ours() -> Path:
    """Return the folder of our own templates: in the installed package, or in the checkout."""
    package = Path(ops.__file__).parent
    installed = package / FOLDER
    return installed if installed.is_dir() else package.parent / FOLDER
