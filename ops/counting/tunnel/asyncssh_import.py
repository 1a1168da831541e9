"""Import asyncssh without starting compilers.

It looks for liboqs as soon as it is imported, and Python's ``ctypes.util.find_library`` asks gcc
and ld for a library that ldconfig does not know: a tenth of the start of ``ops traffic``. One that
only those would find is not found; asyncssh then goes without that key exchange.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _no_programs() -> Iterator[None]:
    path = os.environ.get("PATH")
    os.environ["PATH"] = os.devnull  # an empty one would mean the folder we are in
    try:
        yield
    finally:
        if path is None:
            del os.environ["PATH"]
        else:
            os.environ["PATH"] = path


with _no_programs():
    import asyncssh  # noqa: F401 (the rest of this room finds it imported)
