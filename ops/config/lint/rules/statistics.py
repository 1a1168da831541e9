"""1xx: does anything count? The core starts without a word when nothing does."""

from collections.abc import Iterator

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.severity import ERROR, NOTE, WARNING

_BOTH = ("statsUserUplink", "statsUserDownlink")
_SYSTEM = ("statsInboundUplink", "statsInboundDownlink")
VISION = "xtls-rprx-vision"


@rule(
    "XO102",
    "no-stats",
    ERROR,
    "There is no `stats` object, so nothing is counted.",
    why="The core starts all the same and answers every question for counters with an empty list.",
    remedy='write "stats": {} at the top of the config',
)
def no_stats(config: Config) -> Iterator[Hit]:
    """`stats: {}` turns the counters on (facts: run on 26.10.10)."""
    if config.proxies and "stats" not in config.data:
        message = "no `stats`: no user, inbound or outbound is counted"
        yield Hit((), message, config.graded(ERROR))


@rule(
    "XO103",
    "no-stats-service",
    ERROR,
    "The API has no StatsService, so the counters cannot be read.",
    why="Counters that nobody can ask for are lost at every restart.",
    remedy='write "api": {"tag": "api", "services": ["StatsService"], ...}',
)
def no_stats_service(config: Config) -> Iterator[Hit]:
    """The services are named one by one; a name that is not known is passed over."""
    wanted = config.around.ours or ("stats" in config.data and not config.part("metrics"))
    if config.proxies and wanted and "statsservice" not in config.services:
        path = ("api", "services") if "services" in config.part("api") else ("api",)
        said = (
            "the API's services have no StatsService" if "api" in config.data else "there is no API"
        )
        yield Hit(path, f"{said}: the counters cannot be read", config.graded(ERROR))


@rule(
    "XO118",
    "no-handler-service",
    ERROR,
    "The API of a host has no HandlerService.",
    why="A rollout asks it which users the core has, and adds and removes keys by it: without it "
    "no rollout is healthy.",
    remedy='write "HandlerService" among the services in the fleet\'s template',
)
def no_handler_service(config: Config) -> Iterator[Hit]:
    """Of a fleet alone: elsewhere nobody may want to change users."""
    if config.around.ours and config.proxies and "handlerservice" not in config.services:
        yield Hit(("api", "services"), "the API's services have no HandlerService")


@rule(
    "XO105",
    "policy-counts-nobody",
    ERROR,
    "A policy level that users have does not count both ways.",
    why="Users of that level have no counter for that way: their traffic is nowhere.",
    remedy='write "statsUserUplink": true, "statsUserDownlink": true in policy.levels."0"',
)
def policy_counts_nobody(config: Config) -> Iterator[Hit]:
    """Every switch of a policy level is off unless written (infra/conf/policy.go)."""
    if not config.counts:
        return
    levels = config.part("policy", "levels")
    used = {user.level for inbound in config.proxies for user in inbound.users}
    for level in sorted(used if config.proxies else ()):
        said = levels.get(str(level))
        off = [name for name in _BOTH if not (said or {}).get(name)]
        if said is not None and off:
            message = f"level {level} leaves out {' and '.join(off)}: its users are not counted so"
            yield Hit(("policy", "levels", str(level)), message, config.graded(ERROR))


@rule(
    "XO106",
    "level-without-policy",
    ERROR,
    "Users have a level that no policy is written for.",
    why="Such users have no counters at all, and the core's own time limits.",
    remedy='write policy.levels."LEVEL", or give the users level 0',
)
def level_without_policy(config: Config) -> Iterator[Hit]:
    """Level 1 without levels."1" has no counters (facts: run on 26.10.10)."""
    levels = config.part("policy", "levels")
    for inbound in config.proxies if config.counts else ():
        for level in sorted(
            {user.level for user in inbound.users} - {_number(name) for name in levels}
        ):
            those = [user for user in inbound.users if user.level == level]
            path = those[0].path if levels else ("policy",)
            message = f"{len(those)} users of {inbound.called} have level {level}, without a policy"
            yield Hit(path, f"{message}: they are not counted", config.graded(ERROR))


def _number(level: str) -> int:
    return int(level) if level.isdigit() else -1


@rule(
    "XO110",
    "vision-not-live",
    NOTE,
    "Vision downloads are counted only when they end.",
    why="The kernel splices them past the counters: an open download shows 0 bytes, and a restart "
    "loses it.",
    remedy="set XRAY_BUF_SPLICE=disable in the core's unit, or live with it",
)
def vision_not_live(config: Config) -> Iterator[Hit]:
    """Facts: frozen at 1890 bytes after 4 MiB; live with the variable (run on 26.10.10)."""
    said = {name.upper().replace(".", "_"): text for name, text in config.part("env").items()}
    knows = config.version >= (26, 7, 11)  # before, `env` in a config is ignored
    if config.around.live or (knows and said.get("XRAY_BUF_SPLICE") == "disable"):
        return
    for inbound in config.proxies:
        if config.counts and any(user.flow == VISION for user in inbound.users):
            message = f"{inbound.called}: Vision downloads count only when they end"
            if config.around.live is None:
                message += ", unless the core's unit sets XRAY_BUF_SPLICE=disable"
            yield Hit(inbound.path, message)


@rule(
    "XO111",
    "inbounds-not-counted",
    WARNING,
    "The inbounds are not counted.",
    why="Nothing then shows that the core counts at all before the first user has connected.",
    remedy='write "statsInboundUplink": true, "statsInboundDownlink": true in policy.system',
)
def inbounds_not_counted(config: Config) -> Iterator[Hit]:
    """Counters of inbounds are there from the start, those of users from their first use."""
    system = config.part("policy", "system")
    off = [name for name in _SYSTEM if not system.get(name)]
    if config.proxies and config.counts and off:
        graded = None if config.around.ours else NOTE
        yield Hit(("policy", "system"), f"{' and '.join(off)} are off", graded)


@rule(
    "XO112",
    "inbound-without-tag",
    WARNING,
    "An inbound has no tag.",
    why="Without one it has no counters, no rule can name it and no user can be added to it.",
    remedy='give it a "tag" of its own',
)
def inbound_without_tag(config: Config) -> Iterator[Hit]:
    """Handlers without a tag get no counter (app/proxyman/inbound/always.go)."""
    for inbound in config.proxies:
        if config.counts and not inbound.tag:
            yield Hit(inbound.path, f"{inbound.called} has no tag: it is not counted")
