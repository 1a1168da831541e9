"""Import asyncssh without starting compilers.

At its import, asyncssh looks for liboqs. Python's ``ctypes.util.find_library`` then runs gcc and ld
if ldconfig does not know the library, which costs a tenth of the start of ``ops traffic``. Without
these programs a library that only they would find is not used; asyncssh works without it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _no_programs() -> Iterator[None]:
    path = os.environ.get("PATH")
    os.environ["PATH"] = os.devnull  # an empty PATH would mean the current folder
    try:
        yield
    finally:
        if path is None:
            del os.environ["PATH"]
        else:
            os.environ["PATH"] = path


with _no_programs():
    import asyncssh  # noqa: F401 (the other modules import it from sys.modules)
