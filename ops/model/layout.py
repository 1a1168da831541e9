"""Where things lie on a host, and what they are called there."""

USER = "xray"
"""The core's user; the group of the same name may read the config."""
API_GROUP = "xray-api"
"""Owns nothing but the socket, so that an ssh user in it cannot read the config."""

CORES = "/usr/local/lib/xray"
"""Holds ``<sha256 of the release's zip>/xray`` and its data files for each core installed."""
CORE = f"{CORES}/current/xray"
"""The core in use: ``current`` is a symlink to one of the folders beside it."""
CONFIG = "/etc/xray/config.json"
CERTIFICATES = "/etc/xray/tls"
"""Copies that the core may read: ``<inbound>.crt`` and ``<inbound>.key``."""

UNIT = "xray.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
RUNTIME = "/run/xray"
SOCKET = f"{RUNTIME}/api.sock"
API_PORT = 10085
"""On 127.0.0.1, for hosts with ``api = "inbound"``."""
API_TAG = "api"
API_INBOUND = "api-in"
"""The tag of the API's own inbound there; its bytes are nobody's traffic."""
NOBODY = "~nobody"
"""The user of a Shadowsocks inbound that no key opens: no key can be called that, and its traffic
is blocked. Without one the core starts in a form that takes no users later."""
RUN_PREFIX = "run-"
"""An unused outbound called ``run-<id>`` carries the run's identity into every reply."""

READINGS = "/var/lib/xray/readings"
"""Last readings of runs, one file a run and kind, 0700."""
BELONGS = "/var/lib/xray-ops/belongs"
"""``fleet <id>``: the fleet whose rollouts begin the runs here; then ``before <run>``, a line for
each run that was here before its first rollout."""
