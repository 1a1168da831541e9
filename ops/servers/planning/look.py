"""Ask a host for everything a comparison needs, in one round trip.

Nothing is written on it; secrets that a rollout left when a power cut ended it are removed.
"""

import shlex
from contextlib import suppress

from ops.model.strangers import json_of
from ops.servers.on_host import places
from ops.servers.on_host.state import HostState

OLDEST = (3, 9)
"""The oldest Python of a host: Debian 11's."""
CHECK = f"""\
import sys
if sys.version_info < {OLDEST}:
    here = "%d.%d" % sys.version_info[:2]
    sys.exit("Python {OLDEST[0]}.{OLDEST[1]} or newer is needed on a host, this is " + here)
"""
"""The first lines of every program for a host; older Pythons must understand them."""

# The host's side comes by stdin and is run from memory; `runpy` would import for 6 ms more.
_RUN = (
    CHECK
    + """\
import os, base64, zipimport
handle = os.memfd_create("xray-ops")
with open(handle, "wb", closefd=False) as file:
    file.write(base64.b64decode(sys.stdin.buffer.read()))
sys.argv = ["/proc/self/fd/%d" % handle, "state"]
sys.path.insert(0, sys.argv[0])
exec(zipimport.zipimporter(sys.argv[0]).get_code("__main__"))
"""
)
PYTHON = (
    "command -v python3 >/dev/null 2>&1 || "
    "{ echo 'python3 is missing on this host; on Debian: apt-get install python3' >&2; exit 1; };"
)
LOOK = f"{PYTHON} exec python3 -I -c '{_RUN}'"
"""A command for the host's root shell; its stdin is the host's program (:mod:`~.bundle`)."""
TOLD = f"( {LOOK} ) 2>&1 || true"
"""The same, for whoever is to tell failures from the words alone."""
BY_SUDO = (
    'if [ "$(id -u)" != 0 ] && ! why=$(sudo -n sh -c : 2>&1 </dev/null); then '
    'echo "$(id -un) may not use sudo here without a password'
    ' (it says: $(echo "$why" | tail -n 1)): allow it in /etc/sudoers.d"; '
    f"else sudo -n sh -c {shlex.quote(TOLD)}; fi"
)
"""The same, for a user with sudo: what sudo says must not be the last word on a line, because
pyinfra then asks the terminal for a password."""


def state_of(said: str) -> HostState:
    """Return what a host said to LOOK; ValueError with its last words if it told no state."""
    for line in reversed(said.splitlines()):
        if line.startswith(places.ANSWER):
            with suppress(ValueError, TypeError):  # noise that begins like an answer
                return HostState(**json_of(line[len(places.ANSWER) :]))
    raise ValueError(_last_words(said))


def _last_words(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing when it was looked at"
