"""The command that asks a host for its whole state in one round trip.

It writes nothing on the host. It removes secrets that an interrupted rollout left there.
"""

import shlex
from contextlib import suppress

from ops.model.untrusted import json_of
from ops.servers.on_host import places
from ops.servers.on_host.state import HostState

OLDEST = (3, 9)
"""The oldest supported Python of a host (Debian 11)."""
CHECK = f"""\
import sys
if sys.version_info < {OLDEST}:
    here = "%d.%d" % sys.version_info[:2]
    sys.exit("Python {OLDEST[0]}.{OLDEST[1]} or newer is needed on a host, this is " + here)
"""
"""The first lines of every program for a host. They also run on older Pythons."""

# The program arrives on stdin and runs from memory. `runpy` would cost 6 ms for its imports.
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
"""A command for a root shell. Its stdin is the program for the host (:mod:`~.bundle`)."""
TOLERANT_LOOK = f"( {LOOK} ) 2>&1 || true"
"""The same command, but it always exits with 0 and prints failures to stdout."""
LOOK_BY_SUDO = (
    'if [ "$(id -u)" != 0 ] && ! why=$(sudo -n sh -c : 2>&1 </dev/null); then '
    'echo "$(id -un) may not use sudo here without a password'
    ' (it says: $(echo "$why" | tail -n 1)): allow it in /etc/sudoers.d"; '
    f"else sudo -n sh -c {shlex.quote(TOLERANT_LOOK)}; fi"
)
"""The same command for a user with sudo.

No line of the output may end with a message of sudo, because pyinfra would then ask the terminal
for a password.
"""


def state_of(output: str) -> HostState:
    """Return the state in the *output* of a look.

    ValueError if there is none. Its message is the last line of the output.
    """
    for line in reversed(output.splitlines()):
        if line.startswith(places.ANSWER):
            with suppress(ValueError, TypeError):  # other output may begin like an answer
                return HostState(**json_of(line[len(places.ANSWER) :]))
    raise ValueError(_last_line(output))


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it printed nothing when it was asked for its state"
