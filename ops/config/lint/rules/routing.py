"""3xx: does each rule lead where it says, and can it ever match."""

import re
from collections.abc import Iterator

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.routes import Route
from ops.config.lint.severity import ERROR, WARNING
from ops.model.layout import NOBODY

_EARLIEST = 300
"""With how many rules from the top each is compared: thousands with each other take minutes."""
_OURS = re.compile(r"regexp:\^[\w.@\\-]+~\[0-9\]\+\$")
"""What matches the generations of a key, as rendered."""


def _ways_out(config: Config) -> set[str]:
    """Return every tag that a rule can lead to."""
    found = {outbound.tag for outbound in config.outbounds}
    found |= {config.api_tag, str(config.part("metrics").get("tag", ""))}
    for part in ("portals", "bridges"):
        entries = config.part("reverse").get(part, [])
        found |= {entry.get("tag", "") for entry in entries}
    for inbound in config.proxies:
        for name in ("clients", "users"):
            for entry in inbound.settings.get(name, []):
                found.add(entry.get("reverse", {}).get("tag", ""))
    return found - {""}


@rule(
    "XO306",
    "rule-to-nowhere",
    ERROR,
    "A routing rule leads to an outbound that is not there.",
    why="The core starts, and closes every connection that the rule matches.",
    remedy="name one of the outbounds' tags",
)
def rule_to_nowhere(config: Config) -> Iterator[Hit]:
    """Accepted by the core; `non existing outTag` in its log (facts, 3)."""
    known = _ways_out(config)
    for route in config.rules:
        if route.outbound and route.outbound not in known:
            listed = ", ".join(sorted(known)[:8])
            remedy = f"there are: {listed}" if listed else "there is no outbound with a tag"
            dead = route.inbounds and not set(route.inbounds) & {i.tag for i in config.inbounds}
            message = f"there is no outbound {route.outbound!r}"
            graded = WARNING if dead else None  # it matches nothing, so it harms nothing yet
            yield Hit((*route.path, "outboundTag"), message, graded, remedy)


@rule(
    "XO307",
    "rule-is-shadowed",
    WARNING,
    "A rule can never match: an earlier one takes all of it.",
    why="The first rule that matches wins. What this one was to do is not done.",
    remedy="put it before the other, or take it out",
)
def rule_is_shadowed(config: Config) -> Iterator[Hit]:
    """Rules are tried in order (app/router/router.go)."""
    for at, route in enumerate(config.rules):
        for earlier in config.rules[: min(at, _EARLIEST)]:
            if route.conditions and earlier.conditions and earlier.covers(route):
                number = earlier.path[-1]
                same = "does the same" if _target(earlier) == _target(route) else "wins"
                yield Hit(route.path, f"rule {number} before it matches all of it, and {same}")
                break


def _target(route: Route) -> tuple[object, object]:
    return route.data.get("outboundTag"), route.data.get("balancerTag")


@rule(
    "XO308",
    "rule-names-no-inbound",
    WARNING,
    "A rule is about an inbound that is not there.",
    why="It never matches.",
    remedy="name one of the inbounds' tags",
)
def rule_names_no_inbound(config: Config) -> Iterator[Hit]:
    """The tags are compared as they are written; dns and reverse have tags of their own."""
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
    "A rule is about a user that no inbound has.",
    why="It never matches; where it was to block somebody, that user is not blocked.",
    remedy="write the user's email as the inbound has it, capitals included",
)
def rule_names_no_user(config: Config) -> Iterator[Hit]:
    """Compared as written, or as `regexp:` (app/router/condition.go)."""
    emails = {user.email for inbound in config.proxies for user in inbound.users}
    emails |= {NOBODY} if emails else set()  # blocked whether or not an inbound is empty today
    for route in config.rules if emails else ():
        known = emails | config.around.names
        names = route.conditions.get("user", frozenset())
        if names and not any(_names(name, known) for name in names):
            listed = ", ".join(sorted(map(repr, names))[:3])
            yield Hit((*route.path, "user"), f"there is no user {listed}")


def _names(name: str, emails: set[str]) -> bool:
    """Of expressions, only ours are tried: a stranger's could take for ever, here but not in Go."""
    if not name.startswith("regexp:"):
        return name in emails
    return not _OURS.fullmatch(name) or any(re.search(name[7:], email) for email in emails)


@rule(
    "XO310",
    "no-way-out",
    ERROR,
    "There is no outbound, or none that lets anything out.",
    why="The core starts and accepts users, and every connection of theirs is closed.",
    remedy='write "outbounds": [{"protocol": "freedom", "tag": "direct"}]',
)
def no_way_out(config: Config) -> Iterator[Hit]:
    """The core needs none to start (run on 26.10.10)."""
    if config.inbounds and not config.outbounds:
        yield Hit(("outbounds",), "there is no outbound: nothing leaves")
    elif config.inbounds and all(way.protocol == "block" for way in config.outbounds):
        yield Hit(("outbounds",), "every outbound is a blackhole: nothing leaves")
