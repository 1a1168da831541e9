"""Check that a certificate and its private key belong together.

The core ignores a pair that does not, and starts without a certificate.
"""

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

_MISMATCH = {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"}
_LARGEST = 1 << 20
"""Bytes; a longer file is not read."""


def written_fault(entry: Mapping[str, Any]) -> str:
    """Return the fault of the pair in *entry* if its PEM text is in the config; else empty."""
    return "" if {"certificateFile", "keyFile"} & set(entry) else fault(entry)


def fault(entry: Mapping[str, Any]) -> str:
    """Return the fault of the pair in *entry* of ``certificates``; empty if there is none.

    A pair with a file that is not on this machine has no fault: another finding reports the file.
    """
    with ExitStack() as stack:
        try:
            names = [
                stack.enter_context(_file(entry, "certificate", "certificateFile")),
                stack.enter_context(_file(entry, "key", "keyFile")),
            ]
        except OSError:
            return ""
        return _tried(*names) if all(names) else ""


def _tried(certificate: str, key: str) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")  # accept short keys: only the match is checked
    try:
        context.load_cert_chain(certificate, key, password=bytes)
    except ssl.SSLError as error:
        if error.reason in _MISMATCH:
            return "the private key belongs to another certificate"
        return "the certificate or its key is damaged, encrypted or not PEM"
    except OSError:
        return ""
    return ""


@contextmanager
def _file(entry: Mapping[str, Any], written: str, named: str) -> Iterator[str]:
    """Give the name of a file with the PEM text of the entry; empty if there is none.

    PEM text inside the config goes into a file in memory, so that no private key reaches a disk.
    """
    if name := entry.get(named):
        here = Path(name).is_file() and Path(name).stat().st_size <= _LARGEST
        yield str(name) if here else ""
        return
    if not entry.get(written) or not hasattr(os, "memfd_create"):
        yield ""
        return
    with os.fdopen(os.memfd_create(written), "wb") as file:
        file.write("\n".join(entry[written]).encode())
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
