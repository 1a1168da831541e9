"""Download a file, and go on where an earlier download of it broke off."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ops.errors import CoreError

SECONDS = 60
"""The longest that a download may stand still."""
_TRIES = 5
"""How often it goes on after breaking off."""
_PIECE = 1 << 16

Progress = Callable[[int, int], None]
"""Is told how many bytes are here, and of how many; 0 where the server does not say."""


def download(address: str, file: Path, progress: Progress = lambda *_: None) -> None:
    """Fetch *address* into *file*; what is in *file* already is the beginning of it.

    https, http and file addresses, through the proxy of the environment (``https_proxy``).
    CoreError where that fails; what has come by then stays in *file*.
    """
    if not address.startswith(("https://", "http://", "file://")):
        raise CoreError(f"the core's url {address!r} begins with neither https:// nor file://")
    for left in reversed(range(_TRIES)):
        before = _size(file)
        try:
            return _fetch(address, file, progress)
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            if not left or _size(file) == before or isinstance(error, urllib.error.HTTPError):
                raise _failed(address, error) from None


def _fetch(address: str, file: Path, progress: Progress) -> None:
    here = _size(file)
    request = urllib.request.Request(address)  # noqa: S310  the scheme was looked at
    if here:
        request.add_header("Range", f"bytes={here}-")
    try:
        # One of its own: the shared opener keeps the proxy that the environment named first.
        with urllib.request.build_opener().open(request, timeout=SECONDS) as answer:
            goes_on = getattr(answer, "status", None) == http.HTTPStatus.PARTIAL_CONTENT
            _receive(answer, file, here if goes_on else 0, progress)
    except urllib.error.HTTPError as error:
        if not (here and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
            raise
        file.unlink()  # longer than what is there now, or another file: from the start
        _fetch(address, file, progress)


def _receive(answer: Any, file: Path, here: int, progress: Progress) -> None:
    """Append what *answer* brings to the first *here* bytes of *file*."""
    length = int(answer.headers.get("Content-Length") or 0)
    whole = here + length if length else 0
    with file.open("r+b" if here else "wb") as out:
        out.seek(here)
        while piece := answer.read(_PIECE):
            out.write(piece)
            here += len(piece)
            progress(here, whole)
    if here < whole:
        raise OSError(f"it broke off after {here} of {whole} bytes")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _failed(address: str, error: Exception) -> CoreError:
    reason = getattr(error, "reason", None) or error
    return CoreError(
        f"the core cannot be downloaded from {address}: {reason}; fetch that file elsewhere, and "
        "run this again with --archive FILE"
    )
