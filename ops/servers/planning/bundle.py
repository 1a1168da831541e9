"""Pack `ops/servers/on_host`, and an order for it, into one program to send over ssh."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path

from ops.model import layout
from ops.servers import on_host
from ops.servers.on_host.order import Order
from ops.servers.on_host.parcel import CONTENTS, ORDER
from ops.servers.planning.look import CHECK

MAIN = f"""{CHECK}
try:
    import json
except ImportError:  # Debian's python3-minimal lacks it
    sys.exit("python3 is here without its library; on Debian: apt-get install python3")
from ops.servers.on_host.main import main
sys.exit(main(sys.argv[1:], sys.argv[0]))
"""
EMPTY = ("ops/__init__.py", "ops/model/__init__.py", "ops/servers/__init__.py")
"""Packages that are empty on a host, because their own code imports missing libraries."""


class Bundle:
    """A program as text for the stdin of a command. Its `repr` shows only its size."""

    def __init__(self, program: bytes) -> None:
        self._text = base64.encodebytes(program).decode()

    def readlines(self) -> list[str]:
        """Return the whole text as one line. pyinfra reads stdin with this method."""
        return [self._text]

    def __iter__(self) -> Iterator[str]:
        return iter(self.readlines())

    def __repr__(self) -> str:
        return f"<{len(self._text) // 1024} KiB for the host>"


@cache
def program() -> bytes:
    """Return `ops/servers/on_host` as a zip that python3 can run. The bytes are reproducible."""
    folder = Path(on_host.__file__).parent
    sources = {f"ops/servers/on_host/{path.name}": path for path in folder.glob("*.py")}
    sources["ops/model/layout.py"] = Path(layout.__file__)
    texts = {name: path.read_bytes() for name, path in sources.items()}
    return _zip({"__main__.py": MAIN.encode(), **dict.fromkeys(EMPTY, b""), **texts})


def parcel(order: Order, contents: Mapping[str, bytes]) -> bytes:
    """Return the program as a zip with *order* and, by path, the *contents* of its files."""
    members = {f"{CONTENTS}{path}": content for path, content in contents.items()}
    members[ORDER] = json.dumps(asdict(order)).encode()
    return _zip(members, onto=program())


def _zip(members: Mapping[str, bytes], onto: bytes = b"") -> bytes:
    packed = io.BytesIO(onto)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in sorted(members.items()):
            zipped.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
