"""Download a file, and resume an earlier download of it that broke off."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ops.errors import CoreError

SECONDS = 60
"""The longest time without new bytes."""
_TRIES = 5
"""Attempts in one call, while each brings new bytes."""
_PIECE = 1 << 16

Progress = Callable[[int, int], None]
"""Called with the bytes received so far, and the total, which is 0 if the server gives none."""


def download(address: str, file: Path, progress: Progress = lambda *_: None) -> None:
    """Download *address* into *file*; bytes that are already in *file* are not sent again.

    Args:
        address: an https, http or file address. The proxy of the environment (``https_proxy``)
            is used.
        file: the target, which may hold the beginning from an earlier call.
        progress: called after each piece.

    Raises:
        CoreError: the download failed; the received bytes stay in *file*.
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
    request = urllib.request.Request(address)  # noqa: S310  the caller checked the scheme
    if here:
        request.add_header("Range", f"bytes={here}-")
    try:
        # A new opener, because the shared one keeps the first proxy of the environment.
        with urllib.request.build_opener().open(request, timeout=SECONDS) as answer:
            goes_on = getattr(answer, "status", None) == http.HTTPStatus.PARTIAL_CONTENT
            _receive(answer, file, here if goes_on else 0, progress)
    except urllib.error.HTTPError as error:
        if not (here and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
            raise
        file.unlink()  # the server now has a shorter or another file: download all of it
        _fetch(address, file, progress)


def _receive(answer: Any, file: Path, here: int, progress: Progress) -> None:
    """Write the body of *answer* into *file*, after its first *here* bytes."""
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
