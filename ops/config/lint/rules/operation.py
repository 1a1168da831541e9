"""6xx: the logs and data files of the server."""

from collections.abc import Iterator

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.geo import geo_names
from ops.config.lint.severity import NOTE, WARNING
from ops.model.phrases import listed

_LEVELS = ("debug", "info", "warning", "error", "none")


@rule(
    "XO601",
    "access-log-is-on",
    WARNING,
    "The access log is on.",
    why="It records every destination of every user on the server's disk.",
    remedy='write "access": "none" in log',
)
def access_log_is_on(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, logs."""
    log = config.part("log")
    off = log.get("access") == "none" or str(log.get("loglevel", "")).lower() == "none"
    if config.proxies and "log" in config.data and not off:
        file = log.get("access", "")
        printed = "the journal or the terminal, because `log` without `access` prints it"
        masked = " (addresses of users masked)" if log.get("maskAddress") else ""
        path = ("log", "access") if file else ("log",)
        graded = None if file else NOTE
        yield Hit(path, f"the access log goes to {file or printed}{masked}", graded)


@rule(
    "XO602",
    "geo-data-missing",
    WARNING,
    "The config uses data files that are not beside the core.",
    why="Without geoip.dat and geosite.dat the core refuses to start.",
    remedy="copy the release's data files beside the core, or write the networks themselves",
)
def geo_data_missing(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, data files."""
    if config.around.data_files:
        return
    parts = (
        (part, config.data.get(part, {})) for part in ("routing", "dns", "inbounds", "outbounds")
    )
    lookups = [
        name
        for part, value in parts
        for name in geo_names(value, (part,))
        if name.file.endswith(".dat")
    ]
    if lookups:
        names = sorted({name.text for name in lookups})
        message = f"{listed(names, most=4)}: the data files are missing"
        yield Hit(lookups[0].path, message)


@rule(
    "XO603",
    "log-says-all",
    NOTE,
    "The log level is debug or info.",
    why="The log records users with their destinations, and slows the core.",
    remedy='write "loglevel": "warning" in log',
)
def log_says_all(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, logs."""
    level = str(config.part("log").get("loglevel", "")).lower()
    if config.proxies and level in ("debug", "info"):
        yield Hit(("log", "loglevel"), f"the log level is {level}")


@rule(
    "XO605",
    "unknown-log-level",
    WARNING,
    "The core has no log level of this name.",
    why="The core silently uses warning.",
    remedy=f"write one of {', '.join(_LEVELS)}",
)
def unknown_log_level(config: Config) -> Iterator[Hit]:
    """The core compares without case (infra/conf/log.go)."""
    level = config.part("log").get("loglevel", "")
    if level and level.lower() not in _LEVELS:
        yield Hit(("log", "loglevel"), f"the core has no log level {level!r}")


@rule(
    "XO604",
    "session-keys-are-logged",
    WARNING,
    "The core writes the keys of TLS sessions to a file.",
    why="With that file, anybody can decrypt recorded traffic.",
    remedy='remove "masterKeyLog"',
)
def session_keys_are_logged(config: Config) -> Iterator[Hit]:
    """`masterKeyLog` of tlsSettings and realitySettings is for Wireshark."""
    for way in (*config.inbounds, *config.outbounds):
        for name in ("tlsSettings", "realitySettings"):
            path, settings = way.stream.settings(name)
            if settings.get("masterKeyLog", "none") not in ("", "none"):
                yield Hit(
                    (*path, "masterKeyLog"), f"{way.called} writes its session keys to a file"
                )
