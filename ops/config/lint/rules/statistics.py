"""1xx: the core counts traffic; it also starts silently if it does not."""

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
    "The config has no `stats` object, so the core counts no traffic.",
    why="The core starts without a warning, and answers every query with an empty list.",
    remedy='write "stats": {} at the top of the config',
)
def no_stats(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, switching counters on."""
    if config.proxies and "stats" not in config.data:
        message = "without `stats`, no user, inbound or outbound is counted"
        yield Hit((), message, config.graded(ERROR))


@rule(
    "XO103",
    "no-stats-service",
    ERROR,
    "The API has no StatsService, so the counters cannot be read.",
    why="The core keeps counters in memory only, so every restart loses them unread.",
    remedy='write "api": {"tag": "api", "services": ["StatsService"], ...}',
)
def no_stats_service(config: Config) -> Iterator[Hit]:
    """The core ignores unknown names of services (docs/xray.md, ways to the API)."""
    wanted = config.around.ours or ("stats" in config.data and not config.part("metrics"))
    if config.proxies and wanted and "statsservice" not in config.services:
        path = ("api", "services") if "services" in config.part("api") else ("api",)
        fault = "the API has no StatsService" if "api" in config.data else "there is no API"
        yield Hit(path, f"{fault}: the counters cannot be read", config.graded(ERROR))


@rule(
    "XO118",
    "no-handler-service",
    ERROR,
    "The API of a host has no HandlerService.",
    why="A rollout uses it to list, add and remove the users of the core. Without it, every "
    "rollout fails its health check.",
    remedy='add "HandlerService" to the services in the fleet\'s template',
)
def no_handler_service(config: Config) -> Iterator[Hit]:
    """Only hosts of a fleet are judged, because others may not need to change users."""
    if config.around.ours and config.proxies and "handlerservice" not in config.services:
        yield Hit(("api", "services"), "the API has no HandlerService")


@rule(
    "XO105",
    "policy-counts-nobody",
    ERROR,
    "A policy level of users does not count both directions.",
    why="Users of that level have no counter for the missing direction, so that traffic is not "
    "counted.",
    remedy='write "statsUserUplink": true, "statsUserDownlink": true in policy.levels."0"',
)
def policy_counts_nobody(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, switching counters on."""
    if not config.counts:
        return
    levels = config.part("policy", "levels")
    used = {user.level for inbound in config.proxies for user in inbound.users}
    for level in sorted(used if config.proxies else ()):
        switches = levels.get(str(level))
        off = [name for name in _BOTH if not (switches or {}).get(name)]
        if switches is not None and off:
            names = " and ".join(off)
            message = f"level {level} leaves out {names}, so this traffic is not counted"
            yield Hit(("policy", "levels", str(level)), message, config.graded(ERROR))


@rule(
    "XO106",
    "level-without-policy",
    ERROR,
    "Users have a level without a policy.",
    why="Such users have no counters, and they get the core's default time limits.",
    remedy='write policy.levels."LEVEL", or give the users level 0',
)
def level_without_policy(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, switching counters on."""
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
    why="The kernel copies the bytes past the counters (splice). A running download shows 0 bytes, "
    "and a restart loses its bytes.",
    remedy="set XRAY_BUF_SPLICE=disable in the core's unit, or accept it",
)
def vision_not_live(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, splicing."""
    env = {name.upper().replace(".", "_"): text for name, text in config.part("env").items()}
    reads_env = config.version >= (26, 7, 11)
    if config.around.live or (reads_env and env.get("XRAY_BUF_SPLICE") == "disable"):
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
    why="Before the first user connects, no other counter shows that the core counts.",
    remedy='write "statsInboundUplink": true, "statsInboundDownlink": true in policy.system',
)
def inbounds_not_counted(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, names of counters."""
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
    why="Without a tag it has no counters, no rule can name it, and the API cannot add users.",
    remedy='give it a "tag" of its own',
)
def inbound_without_tag(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, names of counters."""
    for inbound in config.proxies:
        if config.counts and not inbound.tag:
            yield Hit(inbound.path, f"{inbound.called} has no tag, so it is not counted")
