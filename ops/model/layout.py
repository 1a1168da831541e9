"""Paths, users, units and tags on a host."""

USER = "xray"
"""The core's user. The group of the same name can read the config."""
API_GROUP = "xray-api"
"""The group of the API's socket alone. An ssh user in this group cannot read the config."""

CORES = "/usr/local/lib/xray"
"""For each installed core, the folder ``<sha256 of the release's zip>`` with ``xray`` and data."""
CORE = f"{CORES}/current/xray"
"""The core in use: ``current`` is a symlink to one of the folders in ``CORES``."""
CONFIG = "/etc/xray/config.json"
CERTIFICATES = "/etc/xray/tls"
"""Copies for the core: ``<inbound>.crt`` and ``<inbound>.key``."""

UNIT = "xray.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
RUNTIME = "/run/xray"
SOCKET = f"{RUNTIME}/api.sock"
API_PORT = 10085
"""The API's port on 127.0.0.1, for hosts with ``api = "inbound"``."""
API_TAG = "api"
API_INBOUND = "api-in"
"""The tag of the API's inbound on that port. Its bytes belong to no key."""
NOBODY = "~nobody"
"""The user of a Shadowsocks inbound that no key opens. No key can have this name, and its traffic
is blocked. Without a user, the core accepts no users later."""
RUN_PREFIX = "run-"
"""The unused outbound ``run-<id>`` carries the run's identity into every reply of the API."""

READINGS = "/var/lib/xray/readings"
"""The folder of the last readings of runs: a file for each run and kind. Mode 0700."""
BELONGS = "/var/lib/xray-ops/belongs"
"""The file that names the fleet of the host. Its first line is ``fleet <id>``. A line
``before <run>`` follows for each run that is older than the first rollout of this fleet."""
