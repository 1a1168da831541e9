"""6xx: what the server does all day: its logs, its data files."""

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
    why="It keeps every user's every destination on the server's disk.",
    remedy='write "access": "none" in log',
)
def access_log_is_on(config: Config) -> Iterator[Hit]:
    """Written to a file, or printed where `log` is there without `access` (infra/conf/log.go)."""
    log = config.part("log")
    off = log.get("access") == "none" or str(log.get("loglevel", "")).lower() == "none"
    if config.proxies and "log" in config.data and not off:
        said = log.get("access", "")
        where = (
            f"to {said}"
            if said
            else "to the journal or the terminal: `log` without `access` prints it"
        )
        masked = " (addresses of users masked)" if log.get("maskAddress") else ""
        yield Hit(
            ("log", "access") if said else ("log",),
            f"it goes {where}{masked}",
            None if said else NOTE,
        )


@rule(
    "XO602",
    "geo-data-missing",
    WARNING,
    "Names are looked up in data files that are not beside the core.",
    why="Without geoip.dat and geosite.dat the core refuses to start.",
    remedy="put the release's data files beside the core, or write the networks out",
)
def geo_data_missing(config: Config) -> Iterator[Hit]:
    """`geoip:private` without geoip.dat is exit code 23 (facts, 5)."""
    if config.around.data_files:
        return
    parts = (
        (part, config.data.get(part, {})) for part in ("routing", "dns", "inbounds", "outbounds")
    )
    found = [
        name
        for part, value in parts
        for name in geo_names(value, (part,))
        if name.file.endswith(".dat")
    ]
    if found:
        names = sorted({name.text for name in found})
        message = f"{listed(names, most=4)}: the data files were not there to look into"
        yield Hit(found[0].path, message)


@rule(
    "XO603",
    "log-says-all",
    NOTE,
    "The log is at debug or info.",
    why="It says who connects and where to, and slows the core.",
    remedy='write "loglevel": "warning" in log',
)
def log_says_all(config: Config) -> Iterator[Hit]:
    """Targets are logged at info (facts, 3)."""
    level = str(config.part("log").get("loglevel", "")).lower()
    if config.proxies and level in ("debug", "info"):
        yield Hit(("log", "loglevel"), f"the log is at {level}")


@rule(
    "XO605",
    "unknown-log-level",
    WARNING,
    "The log has a level that the core does not have.",
    why="The core takes it for warning, without a word.",
    remedy=f"one of {', '.join(_LEVELS)}",
)
def unknown_log_level(config: Config) -> Iterator[Hit]:
    """Compared in any case (infra/conf/log.go)."""
    level = config.part("log").get("loglevel", "")
    if level and level.lower() not in _LEVELS:
        yield Hit(("log", "loglevel"), f"the core has no log level {level!r}")


@rule(
    "XO604",
    "session-keys-are-logged",
    WARNING,
    "The keys of TLS sessions are written to a file.",
    why="Whoever has that file reads all recorded traffic.",
    remedy='take "masterKeyLog" out',
)
def session_keys_are_logged(config: Config) -> Iterator[Hit]:
    """For Wireshark; of tlsSettings and realitySettings."""
    for way in (*config.inbounds, *config.outbounds):
        for name in ("tlsSettings", "realitySettings"):
            path, settings = way.stream.settings(name)
            if settings.get("masterKeyLog", "none") not in ("", "none"):
                yield Hit(
                    (*path, "masterKeyLog"), f"{way.called} writes its session keys to a file"
                )
