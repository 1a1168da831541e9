"""The zip that came over ssh: this program, an order, and the contents of its files."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from ops.servers.on_host.order import Order

ORDER = "order.json"
CONTENTS = "files"


class Parcel:
    """A zip in a private folder of its own, because it contains secrets."""

    def __init__(self, archive: Path) -> None:
        self.archive = archive
        self.folder = archive.parent
        with zipfile.ZipFile(archive) as zipped:
            self.order = Order(**json.loads(zipped.read(ORDER)))

    def content(self, path: str) -> bytes:
        """Return the new content of the file *path*."""
        with zipfile.ZipFile(self.archive) as zipped:
            return zipped.read(f"{CONTENTS}{path}")
