"""What came over ssh: this program, an order, and the contents of the files it names."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from ops.servers.on_host.order import Order

ORDER = "order.json"
CONTENTS = "files"


class Parcel:
    """One zip in a folder of its own, 0700: it holds secrets."""

    def __init__(self, archive: Path) -> None:
        self.archive = archive
        self.folder = archive.parent
        with zipfile.ZipFile(archive) as zipped:
            self.order = Order(**json.loads(zipped.read(ORDER)))

    def content(self, path: str) -> bytes:
        """Return what the file *path* of the host is to hold."""
        with zipfile.ZipFile(self.archive) as zipped:
            return zipped.read(f"{CONTENTS}{path}")
