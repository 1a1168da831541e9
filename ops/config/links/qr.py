"""Draw links as QR codes: for a terminal, as PNG and as SVG."""

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import segno

_QUIET = 4
"""Width of the empty border, in modules (ISO/IEC 18004); most cameras need less."""


def narrowest(link: str) -> int:
    """Return the number of columns that the code needs at least."""
    return int(_code(link).symbol_size(border=1)[0])


def terminal(link: str, colour: bool = True, width: int | None = None) -> str:
    """Return the code as text, with two modules in each character.

    Args:
        link: the link.
        colour: draw light modules white on black. Without it, they have the text's colour, and
            cameras can fail on a light terminal.
        width: the columns of the terminal. The border becomes smaller to fit.
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
    """Return the smallest code for *link*.

    Links are long, and a screen needs little error correction.
    """
    import segno  # takes 40 ms, which shell completion does not need

    return segno.make_qr(link, error="l", boost_error=False)
