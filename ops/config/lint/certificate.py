"""Read the end date of a certificate, and no other part of X.509."""

import re
from base64 import b64decode
from datetime import UTC, datetime

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_FORMS = {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}
"""ASN.1 tags of UTCTime and GeneralizedTime, and their formats (RFC 5280, 4.1.2.5)."""


def ends(pem: str) -> datetime | None:
    """Return the end date of the first certificate in *pem*; None if none can be read."""
    block = _PEM.search(pem)
    try:
        return _not_after(b64decode(block[1])) if block else None
    except (ValueError, IndexError):
        return None


def _not_after(der: bytes) -> datetime | None:
    """Return notAfter of the certificate in *der*; None if its form of time is unknown.

    The validity is the fifth field of TBSCertificate, or the fourth without the optional version.
    """
    _, certificate, _ = _part(der)
    _, body, _ = _part(certificate)
    tag, _, rest = _part(body)
    for _ in range(3 if tag == 0xA0 else 2):  # serial number, algorithm, issuer
        _, _, rest = _part(rest)
    _, validity, _ = _part(rest)
    _, _, after = _part(validity)
    tag, text, _ = _part(after)
    return (
        datetime.strptime(text.decode(), _FORMS[tag]).replace(tzinfo=UTC) if tag in _FORMS else None
    )


def _part(der: bytes) -> tuple[int, bytes, bytes]:
    """Return the tag and content of the first element in *der*, and the bytes after the element."""
    tag, length, start = der[0], der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start])
    if start + length > len(der):
        raise ValueError("a certificate that ends in the middle")
    return tag, der[start : start + length], der[start + length :]
