"""2xx: can each user be told from every other, and counted."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.severity import ERROR, NOTE, WARNING
from ops.config.lint.views import Inbound, User

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_BY_UUID = {"vless", "vmess"}
_WITH_USERS = {"vless", "vmess", "trojan"}
"""Protocols that let nobody in without a list of users."""
_SHORTEST = 8
"""Characters; a shorter password is found by trying."""
_MOST = 3
"""Findings of one kind for one inbound; the rest are counted."""


def _some(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Yield the first few of *hits*, and how many more there are."""
    found = list(hits)
    yield from found[:_MOST]
    if len(found) > _MOST:
        more = found[_MOST]
        yield Hit(more.path, f"and {len(found) - _MOST} more like this", more.severity)


@rule(
    "XO201",
    "user-without-email",
    ERROR,
    "A user has no email.",
    why="Its traffic is counted for nobody, and it can never be removed without a restart.",
    remedy='give it an "email": any name of its own',
)
def user_without_email(config: Config) -> Iterator[Hit]:
    """Facts, 1: no counters, no removal, not even in the number of users."""
    for inbound in config.proxies if config.counts else ():
        without = (user for user in inbound.users if not user.email)
        message = f"a user of {inbound.called} has no email: it is not counted"
        yield from _some(Hit(user.path, message, config.graded(ERROR)) for user in without)


@rule(
    "XO202",
    "emails-differ-by-case",
    ERROR,
    "Two users' emails differ only by capital letters.",
    why="The core takes them for one user, and refuses or removes the wrong one; in the counters "
    "they are two.",
    remedy="write emails in small letters",
)
def emails_differ_by_case(config: Config) -> Iterator[Hit]:
    """Unique without case, counted with it (facts, 1)."""
    seen: dict[str, str] = {}
    for inbound in config.proxies:
        for user in inbound.users:
            other = seen.setdefault(user.email.lower(), user.email)
            if other != user.email:
                message = f"{user.email!r} and {other!r} are one user to the core, and two counters"
                yield Hit((*user.path, "email"), message)


@rule(
    "XO203",
    "email-breaks-names",
    ERROR,
    "An email holds a > or a space.",
    why="> parts the names of counters, a space the fields of the access log: figures go to "
    "another name, or to none.",
    remedy="use small letters, digits and . _ @ -",
)
def email_breaks_names(config: Config) -> Iterator[Hit]:
    """`user>>>EMAIL>>>traffic>>>uplink` (facts, 1 and 7)."""
    for inbound in config.proxies:
        for user in inbound.users:
            if ">" in user.email or " " in user.email:
                graded = None if ">" in user.email else WARNING
                yield Hit((*user.path, "email"), f"{user.email!r} holds a > or a space", graded)


@rule(
    "XO204",
    "email-with-capitals",
    NOTE,
    "An email has capital letters.",
    why="Its counter has them, too, and is not found under the name in small letters.",
    remedy="write emails in small letters",
)
def email_with_capitals(config: Config) -> Iterator[Hit]:
    """A look-up of alice@x for Alice@X is NOT_FOUND (facts, 1)."""
    for inbound in config.proxies:
        capitals = (user for user in inbound.users if user.email != user.email.lower())
        said = "has capital letters: only that spelling finds its counter"
        yield from _some(Hit((*u.path, "email"), f"{u.email!r} {said}") for u in capitals)


@rule(
    "XO205",
    "one-secret-two-users",
    ERROR,
    "Two users of an inbound have the same UUID or password.",
    why="The core takes the last of them for both: all their traffic is counted for one, and "
    "removing either shuts out both.",
    remedy="give each user a UUID or password of its own: `xray uuid`",
)
def one_secret_two_users(config: Config) -> Iterator[Hit]:
    """Accepted without a word (facts, 2 and 5)."""
    for inbound in config.proxies:
        for first, second in _equal(inbound.users, lambda user: user.id):
            message = f"{second.email!r} and {first.email!r} have the same {_word(inbound)}"
            yield Hit(second.path, message)


@rule(
    "XO206",
    "look-alike-uuids",
    ERROR,
    "Two users' UUIDs differ only in their third group.",
    why="VLESS leaves that group out when it compares: they are the same user to it.",
    remedy="give one of them a new UUID: `xray uuid`",
)
def look_alike_uuids(config: Config) -> Iterator[Hit]:
    """Bytes 6 and 7 are zeroed (proxy/vless/validator.go, ProcessUUID)."""
    for inbound in config.proxies:
        if inbound.protocol != "vless":
            continue
        for first, second in _equal(inbound.users, _without_third_group):
            if first.id.lower() != second.id.lower():
                message = f"the UUIDs of {second.email!r} and {first.email!r} are equal to VLESS"
                yield Hit((*second.path, "id"), message)


@rule(
    "XO207",
    "id-is-no-uuid",
    WARNING,
    "An id is no UUID.",
    why="The core makes a UUID of such a text, so whoever guesses the word is that user; most "
    "other clients cannot use it.",
    remedy="use a UUID: `xray uuid`",
)
def id_is_no_uuid(config: Config) -> Iterator[Hit]:
    """1 to 30 characters are mapped to a UUIDv5 (facts, 5); others the core refuses."""
    for inbound in config.proxies:
        if inbound.protocol in _BY_UUID:
            odd = (user for user in inbound.users if not _UUID.fullmatch(user.id))
            said = "is no UUID"
            yield from _some(
                Hit((*u.path, "id"), f"the id of {u.email or 'a user'} {said}") for u in odd
            )


@rule(
    "XO208",
    "weak-secret",
    WARNING,
    "A password is short, or a UUID is one that everybody tries first.",
    why="Whoever guesses it has the user's access, and is counted as that user.",
    remedy="make it: `xray uuid`, or `openssl rand -base64 24`",
)
def weak_secret(config: Config) -> Iterator[Hit]:
    """Random UUIDs have more than a few different digits; passwords more than a few characters."""
    for inbound in config.proxies:
        weak = (user for user in inbound.users if _is_weak(inbound, user.id))
        said = f"{_word(inbound)} can be guessed"
        yield from _some(Hit(user.path, f"{user.email or 'a user'}: the {said}") for user in weak)


@rule(
    "XO209",
    "inbound-without-users",
    WARNING,
    "An inbound has no users.",
    why="It listens, and nobody can connect.",
    remedy="add a user, or take the inbound out",
)
def inbound_without_users(config: Config) -> Iterator[Hit]:
    """The core starts without a user (run on 26.10.10). In a fleet, keys.toml may wait for one."""
    for inbound in config.proxies:
        if inbound.protocol in _WITH_USERS and not inbound.users:
            ours = config.around.ours
            remedy = "let a key open it in keys.toml, or take it from the host" if ours else ""
            yield Hit(
                inbound.path, f"{inbound.called} has no users", NOTE if ours else None, remedy
            )


def _is_weak(inbound: Inbound, secret: str) -> bool:
    if inbound.protocol in _BY_UUID:
        return bool(_UUID.fullmatch(secret)) and len(set(secret.replace("-", ""))) < 4
    return inbound.protocol in ("trojan", "shadowsocks", "hysteria") and len(secret) < _SHORTEST


def _word(inbound: Inbound) -> str:
    return "UUID" if inbound.protocol in _BY_UUID else "password"


def _equal(users: Iterable[User], key: object) -> Iterator[tuple[User, User]]:
    """Yield users with the first one before them that has the same *key*, where it is not empty."""
    assert callable(key)  # noqa: S101
    seen: dict[str, list[User]] = defaultdict(list)
    for user in users:
        if found := key(user):
            seen[found].append(user)
    for same in seen.values():
        yield from ((same[0], other) for other in same[1:])


def _without_third_group(user: User) -> str:
    if not _UUID.fullmatch(user.id):
        return ""
    digits = user.id.replace("-", "").lower()
    return digits[:12] + digits[16:]
