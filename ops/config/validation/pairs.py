"""Does a certificate go with its private key? The core drops a pair that does not, and starts."""

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

_MISMATCH = {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"}
_LARGEST = 1 << 20
"""Bytes of a file with certificates; longer ones are not looked into."""


def written_fault(entry: Mapping[str, Any]) -> str:
    """Return what is wrong with a pair that is written in the config; empty where nothing is."""
    return "" if {"certificateFile", "keyFile"} & set(entry) else fault(entry)


def fault(entry: Mapping[str, Any]) -> str:
    """Return what is wrong with the pair in *entry* of ``certificates``; empty where nothing is.

    Files that are not here are another finding's: nothing is said of them.
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
    context.set_ciphers("ALL:@SECLEVEL=0")  # a short key is not what is asked here
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
    """Give the name of a file that holds what the core would read; empty where there is none.

    What is written in the config goes through memory alone: no private key reaches a disk.
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
