"""Make an archive like Xray's release, with the same bytes on every machine."""

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from ipaddress import ip_network

NAME = "Xray-linux-64.zip"
_DAWN = (1980, 1, 1, 0, 0, 0)

_ADDRESSES = {
    "PRIVATE": [
        *("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    ],
    "CN": ["1.0.1.0/24"],
    "IR": ["2.144.0.0/14"],
    "RU": ["2.56.24.0/22"],
    "CLOUDFLARE": ["104.16.0.0/13"],
}
_DOMAINS = {
    "CN": ["cn", "baidu.com"],
    "PRIVATE": ["localhost", "lan"],
    "CATEGORY-ADS-ALL": ["doubleclick.net"],
    "GOOGLE": ["google.com"],
}
_DIGESTS = {"MD5": "md5", "SHA1": "sha1", "SHA2-256": "sha256", "SHA2-512": "sha512"}


def release(program: bytes) -> bytes:
    """Return the zip of a release with this *program*.

    It is not compressed, because the output of zlib depends on its version. The inventory pins
    the SHA-256 of the zip.
    """
    files = {
        "LICENSE": b"Mozilla Public License Version 2.0\n",
        "README.md": b"Xray-core out of its PyPI wheel, for the lab of xray-ops.\n",
        "geoip.dat": _geoip(_ADDRESSES),
        "geosite.dat": _geosite(_DOMAINS),
        "xray": program,
    }
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(_entry(name, 0o755 if name == "xray" else 0o644), content)
    return whole.getvalue()


def digests(archive: bytes) -> str:
    """Return the text of the ``.dgst`` file of a release."""
    lines = (
        f"{title}= {hashlib.new(name, archive, usedforsecurity=False).hexdigest()}"
        for title, name in _DIGESTS.items()
    )
    return "\n".join(lines) + "\n"


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DAWN)
    entry.create_system = 3  # Unix, so that the mode counts
    entry.external_attr = (0o100000 | mode) << 16
    return entry


# The two data files are protobuf: a list (field 1) of entries (code = 1, content = 2).


def _geoip(blocks: Mapping[str, Sequence[str]]) -> bytes:
    return b"".join(
        _field(1, _field(1, code.encode()) + _blocks(of)) for code, of in blocks.items()
    )


def _blocks(texts: Sequence[str]) -> bytes:
    nets = [ip_network(text) for text in texts]
    return b"".join(
        _field(2, _field(1, net.network_address.packed) + _number(2, net.prefixlen)) for net in nets
    )


def _geosite(domains: Mapping[str, Sequence[str]]) -> bytes:
    within = 2  # the type of a domain that includes its subdomains
    return b"".join(
        _field(
            1,
            _field(1, code.encode())
            + b"".join(_field(2, _number(1, within) + _field(2, domain.encode())) for domain in of),
        )
        for code, of in domains.items()
    )


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)
