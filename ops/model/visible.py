"""Escapes for text from other machines, so that it cannot control the terminal."""

MOST = 500
"""The most characters of a host's error. No sentence of sshd, sudo or the core is longer."""
LONGEST_MESSAGE = 2000
"""The most characters of a message that repeats a name or a value from a file."""


def visible(text: str, most: int | None = None) -> str:
    r"""Return *text* with an escape for every character that is not printable.

    These are control characters, direction marks, line and paragraph separators, and single
    surrogates. With *most*, longer text is cut to this number of characters.

    >>> print(visible("a\x1b[2Jb\u202ec\nd"))
    a\x1b[2Jb\u202ec\x0ad
    >>> visible("abcdef", 4)
    'abc…'
    """
    if not text.isprintable():
        text = "".join(map(_written_out, text if most is None else text[: most + 1]))
    return text if most is None or len(text) <= most else f"{text[: most - 1]}…"


def _written_out(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if code < 256:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
