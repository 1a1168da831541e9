"""QR codes of links: for a terminal, as PNG, as SVG."""

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import segno

_QUIET = 4
"""Modules around the code, by its standard; most cameras make do with less."""


def narrowest(link: str) -> int:
    """Return how many columns the code needs at least."""
    return int(_code(link).symbol_size(border=1)[0])


def terminal(link: str, colour: bool = True, width: int | None = None) -> str:
    """Return the code as text, two modules a character, in *width* columns if it can be.

    With *colour* it is white on black whatever the terminal's own colours are: cameras want it
    that way round. Without, light modules are drawn in the text's colour.
    """
    out = io.StringIO()
    room = _QUIET if width is None else (width - narrowest(link)) // 2 + 1
    _code(link).terminal(out, compact=True, border=max(1, min(room, _QUIET)))
    if not colour:
        return out.getvalue()
    return "".join(f"\x1b[97;40m{line}\x1b[0m\n" for line in out.getvalue().splitlines())


def png(link: str, scale: int = 8) -> bytes:
    """Return the code as a PNG image, *scale* pixels a module."""
    out = io.BytesIO()
    _code(link).save(out, kind="png", scale=scale)
    return out.getvalue()


def svg(link: str, scale: int = 8) -> str:
    """Return the code as an SVG document, *scale* units a module."""
    out = io.BytesIO()
    _code(link).save(out, kind="svg", scale=scale)
    return out.getvalue().decode()


def _code(link: str) -> "segno.QRCode":
    """Return the smallest code: links are long, and screens clean enough for little correction."""
    import segno  # takes 40 ms: a shell that completes names does without

    return segno.make_qr(link, error="l", boost_error=False)
