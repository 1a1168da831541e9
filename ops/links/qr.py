"""QR codes of links: for a terminal, as PNG, as SVG."""

import io

import segno


def terminal(link: str) -> str:
    """Return the code as text; two modules a character, to fit an 80-column terminal."""
    out = io.StringIO()
    _code(link).terminal(out, compact=True)
    return out.getvalue()


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


def _code(link: str) -> segno.QRCode:
    """Return the smallest code: links are long, and screens clean enough for little correction."""
    return segno.make_qr(link, error="l", boost_error=False)
