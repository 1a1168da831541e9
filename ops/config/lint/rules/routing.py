"""3xx: each routing rule can match, and leads to an existing outbound."""

import re
from collections.abc import Iterator

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.routes import RouteView
from ops.config.lint.severity import ERROR, WARNING
from ops.model.layout import NOBODY

_EARLIEST = 300
"""Each rule is compared with so many rules from the top; all pairs of thousands take minutes."""
_OURS = re.compile(r"regexp:\^[\w.@\\-]+~\[0-9\]\+\$")
"""The pattern of our own expressions, which match the generations of a key."""


def _ways_out(config: Config) -> set[str]:
    """Return all tags that a rule can lead to."""
    tags = {outbound.tag for outbound in config.outbounds}
    tags |= {config.api_tag, str(config.part("metrics").get("tag", ""))}
    for part in ("portals", "bridges"):
        entries = config.part("reverse").get(part, [])
        tags |= {entry.get("tag", "") for entry in entries}
    for inbound in config.proxies:
        for name in ("clients", "users"):
            for entry in inbound.settings.get(name, []):
                tags.add(entry.get("reverse", {}).get("tag", ""))
    return tags - {""}


@rule(
    "XO306",
    "rule-to-nowhere",
    ERROR,
    "A routing rule leads to an outbound that does not exist.",
    why="The core starts, but closes every connection that the rule matches.",
    remedy="write the tag of an existing outbound",
)
def rule_to_nowhere(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, routing rules."""
    known = _ways_out(config)
    for route in config.rules:
        if route.outbound and route.outbound not in known:
            listed = ", ".join(sorted(known)[:8])
            remedy = f"existing tags: {listed}" if listed else "no outbound has a tag"
            dead = route.inbounds and not set(route.inbounds) & {i.tag for i in config.inbounds}
            message = f"there is no outbound {route.outbound!r}"
            graded = WARNING if dead else None  # a rule that never matches does no harm
            yield Hit((*route.path, "outboundTag"), message, graded, remedy)


@rule(
    "XO307",
    "rule-is-shadowed",
    WARNING,
    "A rule can never match, because an earlier rule matches the same traffic.",
    why="The first matching rule wins, so this rule has no effect.",
    remedy="move this rule before the other, or remove it",
)
def rule_is_shadowed(config: Config) -> Iterator[Hit]:
    """The core tries the rules in order (app/router/router.go)."""
    for at, route in enumerate(config.rules):
        for earlier in config.rules[: min(at, _EARLIEST)]:
            if route.conditions and earlier.conditions and earlier.covers(route):
                number = earlier.path[-1]
                same = "does the same" if _target(earlier) == _target(route) else "wins"
                message = f"the earlier rule {number} matches all of its traffic, and {same}"
                yield Hit(route.path, message)
                break


def _target(route: RouteView) -> tuple[object, object]:
    return route.data.get("outboundTag"), route.data.get("balancerTag")


@rule(
    "XO308",
    "rule-names-no-inbound",
    WARNING,
    "A rule names an inbound that does not exist.",
    why="The condition never holds for that inbound.",
    remedy="write the tag of an existing inbound",
)
def rule_names_no_inbound(config: Config) -> Iterator[Hit]:
    """The core compares tags with case. DNS and reverse also have tags for rules."""
    known = {inbound.tag for inbound in config.inbounds} | {config.part("dns").get("tag", "")}
    known |= {
        server.get("tag", "")
        for server in config.part("dns").get("servers", [])
        if isinstance(server, dict)
    }
    known |= {
        way.settings.get("inboundTag", "") for way in config.outbounds if way.protocol == "loopback"
    }
    known |= {way.settings.get("reverse", {}).get("tag", "") for way in config.outbounds}
    known |= _ways_out(config) | config.around.names
    for route in config.rules:
        if missing := [tag for tag in route.inbounds if tag not in known]:
            listed = ", ".join(map(repr, missing))
            yield Hit((*route.path, "inboundTag"), f"there is no inbound {listed}")


@rule(
    "XO309",
    "rule-names-no-user",
    WARNING,
    "A rule names a user that no inbound has.",
    why="The rule never matches. If it should block a user, that user is not blocked.",
    remedy="write the user's email exactly as in the inbound, with the same capital letters",
)
def rule_names_no_user(config: Config) -> Iterator[Hit]:
    """The core compares with case, or by `regexp:` (app/router/condition.go)."""
    emails = {user.email for inbound in config.proxies for user in inbound.users}
    emails |= {NOBODY} if emails else set()  # our rule blocks NOBODY also if no inbound has it
    for route in config.rules if emails else ():
        known = emails | config.around.names
        names = route.conditions.get("user", frozenset())
        if names and not any(_names(name, known) for name in names):
            listed = ", ".join(sorted(map(repr, names))[:3])
            yield Hit((*route.path, "user"), f"there is no user {listed}")


def _names(name: str, emails: set[str]) -> bool:
    """Return whether the condition *name* matches one of *emails*, or may match.

    Only our own expressions are tried. Another expression could run for ever in Python, unlike in
    Go.
    """
    if not name.startswith("regexp:"):
        return name in emails
    return not _OURS.fullmatch(name) or any(re.search(name[7:], email) for email in emails)


@rule(
    "XO310",
    "no-way-out",
    ERROR,
    "The config has no outbound that lets traffic out.",
    why="The core starts and accepts users, but closes all their connections.",
    remedy='write "outbounds": [{"protocol": "freedom", "tag": "direct"}]',
)
def no_way_out(config: Config) -> Iterator[Hit]:
    """The core starts without an outbound (docs/xray.md, routing rules)."""
    if config.inbounds and not config.outbounds:
        yield Hit(("outbounds",), "there is no outbound, so no traffic leaves")
    elif config.inbounds and all(way.protocol == "block" for way in config.outbounds):
        yield Hit(("outbounds",), "every outbound is a blackhole, so no traffic leaves")
