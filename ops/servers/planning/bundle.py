"""Pack the host's side, and what it is to carry out, into one program for ssh to carry."""

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
except ImportError:  # Debian's python3-minimal
    sys.exit("python3 is here without its library; on Debian: apt-get install python3")
from ops.servers.on_host.main import main
sys.exit(main(sys.argv[1:], sys.argv[0]))
"""
EMPTY = ("ops/__init__.py", "ops/model/__init__.py", "ops/servers/__init__.py")
"""The packages above the host's side: their own code would want what no host has."""


class Bundle:
    """Text for a command's stdin; nothing of it shows where a value is printed."""

    def __init__(self, program: bytes) -> None:
        self._text = base64.encodebytes(program).decode()

    def readlines(self) -> list[str]:
        """Return all of it, each time."""
        return [self._text]

    def __iter__(self) -> Iterator[str]:
        return iter(self.readlines())

    def __repr__(self) -> str:
        return f"<{len(self._text) // 1024} KiB for the host>"


@cache
def program() -> bytes:
    """Return the host's side as a program that python3 runs; the same bytes each time."""
    folder = Path(on_host.__file__).parent
    sources = {f"ops/servers/on_host/{path.name}": path for path in folder.glob("*.py")}
    sources["ops/model/layout.py"] = Path(layout.__file__)
    texts = {name: path.read_bytes() for name, path in sources.items()}
    return _zip({"__main__.py": MAIN.encode(), **dict.fromkeys(EMPTY, b""), **texts})


def parcel(order: Order, contents: Mapping[str, bytes]) -> bytes:
    """Return the program with its *order*, and with the *contents* of the files it names."""
    held = {f"{CONTENTS}{path}": content for path, content in contents.items()}
    held[ORDER] = json.dumps(asdict(order)).encode()
    return _zip(held, onto=program())


def _zip(held: Mapping[str, bytes], onto: bytes = b"") -> bytes:
    packed = io.BytesIO(onto)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in sorted(held.items()):
            zipped.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
