"""The kinds of values in a fleet's files, each with its allowed characters.

A value can reach an ssh config, a command, a path, a URL, a header, JSON, a log and a terminal.
No kind allows a character with a special meaning in one of these, so that no room has to escape.
docs/inventory.md lists the kinds: the docstring of each has the form ``name: description``.
"""

import ipaddress
import math
import re
import unicodedata
from datetime import date, time
from typing import Annotated, Any

from pydantic import AfterValidator, Field

NONE = "none"
"""In an ssh config this word means no jump host, so it cannot be the name of one."""
BROWSERS = (
    "chrome",
    "firefox",
    "safari",
    "ios",
    "android",
    "edge",
    "360",
    "qq",
    "random",
    "randomized",
    "randomizednoalpn",
)
"""The fingerprints of core 26.10.10, beside single versions such as ``hellochrome_131``."""
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]{0,63}")
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?")
_JOINERS = "\u200c\u200d\u200e\u200f\u061c"
"""Persian and Arabic words and many emoji need them. They do not reverse other text."""
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""The Unicode categories of characters that control a terminal or end a line."""


class UnfitError(ValueError):
    """A value does not fit its kind. The text describes the kind."""


def _written(
    pattern: str, words: str, most: int = 255, script: re.RegexFlag = re.ASCII
) -> AfterValidator:
    """Return a validator for text of at most *most* characters that matches *pattern*.

    *words* describe the pattern in messages.
    """
    form = re.compile(pattern, script)

    def check(text: str) -> str:
        if len(text) > most or not form.fullmatch(text):
            raise UnfitError(words)
        return text

    return AfterValidator(check)


def is_dns_name(text: str) -> bool:
    """Return whether *text* is a DNS name in ASCII.

    >>> is_dns_name("ams1.example.net"), is_dns_name("198.51.100.7"), is_dns_name("-a.net")
    (True, False, False)
    """
    last = text.rsplit(".", 1)[-1]
    return len(text) <= 253 and not last.isdigit() and bool(_NAME.fullmatch(text))


def is_ip(text: str) -> bool:
    """Return whether *text* is an IPv4 or IPv6 address, without a zone.

    >>> is_ip("198.51.100.7"), is_ip("2001:db8::7"), is_ip("fe80::1%eth0")
    (True, True, False)
    """
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _dns_name(text: str) -> str:
    if not is_dns_name(text):
        raise UnfitError(f"a DNS name has letters, digits, dots and dashes{_in_ascii(text)}")
    return text


def _address(text: str) -> str:
    if not (is_ip(text) or is_dns_name(text.removesuffix("."))):
        raise UnfitError(
            "it is neither a name nor an address; write letters, digits, dots and dashes, without"
            f" a port or brackets{_in_ascii(text)}"
        )
    return text


def _server_name(text: str) -> str:
    return text if is_ip(text) else _dns_name(text)


def _in_ascii(text: str) -> str:
    """Return a remedy with the ASCII form of *text*; empty if there is no certain form."""
    if text.isascii() or set("ßς" + _JOINERS) & set(text):  # two standards disagree on these
        return ""
    try:
        written = text.encode("idna").decode()
    except UnicodeError:
        return ""
    return f'; in ASCII this one is "{written}"' if is_dns_name(written) else ""


def _target(text: str) -> str:
    host, colon, _ = text.rpartition(":")
    match = _PLACE.fullmatch(text)
    if not (colon and match and match[2] and _is_port(match[2]) and _is_host(match[1])):
        raise UnfitError(f'write "host:port"; an IPv6 address stands in [ ]{_in_ascii(host)}')
    return text


def _jump(text: str) -> str:
    user, at, place = text.rpartition("@")
    match = _PLACE.fullmatch(place)
    if not match or not _is_host(match[1]) or (at and not _USER.fullmatch(user)):
        raise UnfitError(f"write one jump host, as [user@]host[:port]{_in_ascii(place)}")
    if match[1].lower() == NONE or not _is_port(match[2] or "22"):
        raise UnfitError('ssh takes "none" for no jump host, and a port is 1 to 65535')
    return text


def _is_host(text: str) -> bool:
    inner = text[1:-1] if text.startswith("[") else ""
    return (":" in inner and is_ip(inner)) or is_dns_name(text) or is_ip(text)


def _is_port(digits: str) -> bool:
    return 1 <= int(digits) <= 65535


def _words(text: str) -> str:
    """Return *text* as one line. TOML allows line breaks in a text."""
    unseen = (c for c in text if unicodedata.category(c) in _UNSEEN and c not in _JOINERS)
    if len(text) > 1000 or any(c not in "\n\r\t" for c in unseen):
        raise UnfitError("write up to 1000 characters, and no control characters")
    return " ".join(text.split())


def _secret(text: str) -> str:
    if len(text) > 255 or not all(c.isprintable() for c in text) or text != text.strip():
        raise UnfitError(
            "write up to 255 characters, no control characters, and no space at its ends"
        )
    return text


def _a_reason(text: str) -> str:
    if not text:
        raise UnfitError("say why, in a few words")
    return text


def _json(value: Any) -> Any:
    """Return *value*; UnfitError if it holds dates or infinity, which JSON does not have."""
    if isinstance(value, date | time) or (isinstance(value, float) and not math.isfinite(value)):
        raise UnfitError(f"JSON has no {value}: the core could not read it")
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            _json(part)
    return value


HostName = Annotated[
    str,
    _written(r"[a-z0-9][a-z0-9.-]{0,62}", "a host's name has small letters, digits, dots, dashes"),
]
"""name of a host: up to 63 small letters, digits, dots and dashes."""
Name = Annotated[
    str,
    _written(r"[a-z][a-z0-9_-]{0,31}", "a name has small letters, digits, _ and -, a letter first"),
]
"""name: up to 32 small letters, digits, ``_`` and ``-``. It begins with a letter."""
KeyName = Annotated[
    str,
    _written(
        r"[a-z0-9._@][a-z0-9._@-]{0,63}",
        "a key's name has small letters, digits and . _ @ -, no dash first (the counters are named"
        " after it)",
    ),
]
"""name of a key: up to 64 small letters, digits and ``. _ @ -``. It does not begin with a dash."""
StoredName = Annotated[
    str, _written(r"[!-~]{1,64}", "a name has up to 64 characters of ASCII, and no space")
]
"""stored name: up to 64 characters of ASCII without spaces. Its key or host may be deleted."""
Reference = str
"""reference: a name that is defined in hosts.toml or keys.toml."""
Port = Annotated[int, Field(ge=1, le=65535)]
"""port: 1 to 65535."""
Address = Annotated[str, AfterValidator(_address)]
"""address: a DNS name, an IPv4 or an IPv6 address, without a port and without brackets."""
DnsName = Annotated[str, AfterValidator(_dns_name)]
"""DNS name: letters, digits, dots and dashes, in ASCII."""
ServerName = Annotated[str, AfterValidator(_server_name)]
"""server name: a DNS name or an address, as in a certificate."""
Target = Annotated[str, AfterValidator(_target)]
"""host and port: ``host:port``. An IPv6 address stands in brackets."""
Jump = Annotated[str, AfterValidator(_jump)]
"""jump host: ``[user@]host[:port]``, one jump host only."""
User = Annotated[
    str, _written(_USER.pattern, "a user's name has letters, digits and . _ @ + -, no dash first")
]
"""user: letters, digits and ``. _ @ + -``. It does not begin with a dash."""
RemotePath = Annotated[
    str,
    _written(
        r"/(?:[\w .~+,@=:/-]|\{host\}|\{server_name\})*",
        "write the whole path on the host, from /, with letters, digits, spaces and . _ ~ + , @ ="
        " : - ; {host} and {server_name} are filled in",
        most=1024,
        script=re.UNICODE,
    ),
]
"""path on the host: an absolute path. ``{host}`` and ``{server_name}`` are replaced."""
LocalPath = Annotated[
    str,
    _written(
        r"(?:~[\w.-]*/)?[\w./](?:[\w .+,@=:/-]*[\w.+,@=:/-])?",
        "a path has letters, digits, spaces and . _ + , @ = : - / and may begin with ~/",
        most=1024,
        script=re.UNICODE,
    ),
]
"""path on this machine: absolute, in the home folder (``~/``), or in the fleet's folder."""
UrlPath = Annotated[
    str,
    _written(
        r"/[A-Za-z0-9/._~!$&'()*+,;=:@-]*",
        "a path begins with / and has letters, digits and . _ ~ ! $ & ' ( ) * + , ; = : @ - /;"
        " no %, ? or #, because the core compares the path after decoding it",
    ),
]
"""path of a URL: begins with ``/`` and has no ``%``, ``?`` or ``#``."""
Url = Annotated[
    str,
    _written(
        r"(?:https?|file)://(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]|\{version\}|\{file\})+",
        "write an https:// address; {version} and {file} are filled in",
        most=1024,
    ),
]
"""URL: begins with ``https://``, ``http://`` or ``file://``."""
Sha256 = Annotated[str, _written(r"[0-9a-f]{64}", "a SHA-256 is 64 digits of 0-9 and a-f")]
"""SHA-256: 64 hexadecimal digits."""
Version = Annotated[
    str, _written(r"\d{1,4}\.\d{1,4}\.\d{1,4}", 'write the release\'s number, as "26.10.10"')
]
"""version: three numbers with dots, as ``26.10.10``."""
Fingerprint = Annotated[
    str,
    _written(
        rf"{'|'.join(BROWSERS)}|unsafe|hello[a-z0-9]{{1,20}}_[a-z0-9_]{{1,20}}",
        f"clients imitate one of {', '.join(BROWSERS)}",
    ),
]
"""fingerprint: ``chrome``, ``firefox``, ``safari``, ``ios``, ``android``, ``edge``, ``360``,
``qq``, ``random``, ``randomized``, ``randomizednoalpn``, or a version as ``hellochrome_131``."""
RuleCode = Annotated[str, _written(r"XO\d{3}", "a rule's code is XO and three digits")]
"""code of a rule: ``XO`` and three digits."""
Words = Annotated[str, AfterValidator(_words)]
"""text: up to 1000 characters, no control characters."""
Reason = Annotated[Words, AfterValidator(_a_reason)]
"""reason: a text that is not empty."""
PublicKey = Annotated[str, _written(r"[A-Za-z0-9_-]{43}", "an X25519 key is 43 characters")]
"""public key: an X25519 key of 43 characters, in base64url."""
Secret = Annotated[str, AfterValidator(_secret)]
"""secret: up to 255 characters, no control characters, no space at the ends."""
Pattern = Annotated[str, _written(r"[!-~]+", "characters of ASCII, no space", most=1000)]
"""pattern: a domain or a network in the core's syntax. ``ops validate`` lets the core check it."""
Ports = Annotated[
    str, _written(r"|\d{1,5}(?:-\d{1,5})?(?:, ?\d{1,5}(?:-\d{1,5})?)*", "write 53, or 53,1000-2000")
]
"""ports: ports and ranges with commas, as ``53,1000-2000``."""
Protocol = Annotated[str, _written(r"[A-Za-z0-9-]{1,32}", "a protocol's name is one word")]
"""protocol: one word, as Xray writes it."""
Json = Annotated[dict[str, Any], AfterValidator(_json)]
"""JSON: a table that is copied into the core's config. It may hold no dates and no infinity."""
