"""2xx: each user is counted, and differs from every other user."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.severity import ERROR, NOTE, WARNING
from ops.config.lint.views import InboundView, UserView

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_BY_UUID = {"vless", "vmess"}
_WITH_USERS = {"vless", "vmess", "trojan"}
"""Protocols that admit nobody without a list of users."""
_SHORTEST = 8
"""Characters; a shorter password can be guessed."""
_MOST = 3
"""Number of findings of one kind for one inbound; the others are only counted."""


def _some(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Yield the first few of *hits*, and one hit with the number of the others."""
    every = list(hits)
    yield from every[:_MOST]
    if len(every) > _MOST:
        more = every[_MOST]
        yield Hit(more.path, f"and {len(every) - _MOST} more like this", more.severity)


@rule(
    "XO201",
    "user-without-email",
    ERROR,
    "A user has no email.",
    why="The user's traffic has no counter, and only a restart can remove the user.",
    remedy='write an "email": any name that no other user has',
)
def user_without_email(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, emails."""
    for inbound in config.proxies if config.counts else ():
        without = (user for user in inbound.users if not user.email)
        message = f"a user of {inbound.called} has no email, so it is not counted"
        yield from _some(Hit(user.path, message, config.graded(ERROR)) for user in without)


@rule(
    "XO202",
    "emails-differ-by-case",
    ERROR,
    "The emails of two users differ only by capital letters.",
    why="The core treats them as one user, and can refuse or remove the wrong one. But they have "
    "two counters.",
    remedy="write emails in small letters",
)
def emails_differ_by_case(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, emails."""
    seen: dict[str, str] = {}
    for inbound in config.proxies:
        for user in inbound.users:
            other = seen.setdefault(user.email.lower(), user.email)
            if other != user.email:
                message = f"{user.email!r} and {other!r} are one user with two counters"
                yield Hit((*user.path, "email"), message)


@rule(
    "XO203",
    "email-breaks-names",
    ERROR,
    "An email contains > or a space.",
    why="> separates the parts of a counter's name, and a space the fields of the access log. "
    "Figures are then read for another name or lost.",
    remedy="use only small letters, digits and . _ @ -",
)
def email_breaks_names(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, emails."""
    for inbound in config.proxies:
        for user in inbound.users:
            if ">" in user.email or " " in user.email:
                graded = None if ">" in user.email else WARNING
                yield Hit((*user.path, "email"), f"{user.email!r} contains > or a space", graded)


@rule(
    "XO204",
    "email-with-capitals",
    NOTE,
    "An email has capital letters.",
    why="The name of the counter has the same capital letters. A query in small letters does not "
    "find it.",
    remedy="write emails in small letters",
)
def email_with_capitals(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, emails."""
    for inbound in config.proxies:
        capitals = (user for user in inbound.users if user.email != user.email.lower())
        fault = "has capital letters: only that spelling finds its counter"
        yield from _some(Hit((*u.path, "email"), f"{u.email!r} {fault}") for u in capitals)


@rule(
    "XO205",
    "one-secret-two-users",
    ERROR,
    "Two users of an inbound have the same UUID or password.",
    why="The core treats both as the last of them: it counts all their traffic for one user. The "
    "removal of one blocks both.",
    remedy="give each user a different UUID or password: `xray uuid` makes one",
)
def one_secret_two_users(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, UUIDs."""
    for inbound in config.proxies:
        for first, second in _equal(inbound.users, lambda user: user.id):
            message = f"{second.email!r} and {first.email!r} have the same {_word(inbound)}"
            yield Hit(second.path, message)


@rule(
    "XO206",
    "look-alike-uuids",
    ERROR,
    "The UUIDs of two users differ only in the third group.",
    why="VLESS ignores that group, so both are the same user to the core.",
    remedy="give one of them a new UUID: `xray uuid` makes one",
)
def look_alike_uuids(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, UUIDs."""
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
    "An id is not a UUID.",
    why="The core computes a UUID from the text, so anybody who guesses the text has the access. "
    "Most other clients cannot use such an id.",
    remedy="use a UUID: `xray uuid` makes one",
)
def id_is_no_uuid(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, UUIDs."""
    for inbound in config.proxies:
        if inbound.protocol in _BY_UUID:
            odd = (user for user in inbound.users if not _UUID.fullmatch(user.id))
            yield from _some(
                Hit((*u.path, "id"), f"the id of {u.email or 'a user'} is not a UUID") for u in odd
            )


@rule(
    "XO208",
    "weak-secret",
    WARNING,
    "A password is too short, or a UUID is easy to guess.",
    why="Anybody who guesses it has the user's access, and is counted as that user.",
    remedy="make a random one with `xray uuid` or `openssl rand -base64 24`",
)
def weak_secret(config: Config) -> Iterator[Hit]:
    """A UUID with fewer than four different digits is not random."""
    for inbound in config.proxies:
        weak = (user for user in inbound.users if _is_weak(inbound, user.id))
        fault = f"the {_word(inbound)} can be guessed"
        yield from _some(Hit(user.path, f"{user.email or 'a user'}: {fault}") for user in weak)


@rule(
    "XO209",
    "inbound-without-users",
    WARNING,
    "An inbound has no users.",
    why="The inbound listens, but nobody can use it.",
    remedy="add a user, or remove the inbound",
)
def inbound_without_users(config: Config) -> Iterator[Hit]:
    """The core starts without users. In a fleet, the first key may come later, so it is a note."""
    for inbound in config.proxies:
        if inbound.protocol in _WITH_USERS and not inbound.users:
            ours = config.around.ours
            remedy = "let a key of keys.toml open it, or remove it from the host" if ours else ""
            yield Hit(
                inbound.path, f"{inbound.called} has no users", NOTE if ours else None, remedy
            )


def _is_weak(inbound: InboundView, secret: str) -> bool:
    if inbound.protocol in _BY_UUID:
        return bool(_UUID.fullmatch(secret)) and len(set(secret.replace("-", ""))) < 4
    return inbound.protocol in ("trojan", "shadowsocks", "hysteria") and len(secret) < _SHORTEST


def _word(inbound: InboundView) -> str:
    return "UUID" if inbound.protocol in _BY_UUID else "password"


def _equal(
    users: Iterable[UserView], secret_of: Callable[[UserView], str]
) -> Iterator[tuple[UserView, UserView]]:
    """Yield pairs of users with the same secret, of which the first is always the same user.

    Users with an empty secret are left out.
    """
    by_secret: dict[str, list[UserView]] = defaultdict(list)
    for user in users:
        if secret := secret_of(user):
            by_secret[secret].append(user)
    for same in by_secret.values():
        yield from ((same[0], other) for other in same[1:])


def _without_third_group(user: UserView) -> str:
    if not _UUID.fullmatch(user.id):
        return ""
    digits = user.id.replace("-", "").lower()
    return digits[:12] + digits[16:]
