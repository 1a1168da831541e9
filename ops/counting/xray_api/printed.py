"""Read the API through the host's own ``xray api``, if sshd forbids forwarding.

Its JSON follows protobuf's rules loosely: an int64 can be a string, and a zero is left out.
"""

from datetime import UTC, datetime
from typing import Any

from ops.counting.xray_api.counters import began, reading_of
from ops.errors import ApiError
from ops.model import Host, Reading
from ops.model.layout import API_PORT, CONFIG, CORE, CORES, SOCKET
from ops.model.untrusted import LONGEST_UPTIME, count_of, jsons_of, list_of, object_of

NOT_RUNNING = "failed to dial"
"""Message of the core's own tool if no core listens."""
NEVER, MISSING, DAMAGED = "nothing of ours", "no core", "no working core"
"""Messages of the command itself."""
_ROLL_OUT = "`pyinfra inventory deploy.py --limit {host}`"
_SIGNS = {
    NOT_RUNNING: "ssh is up, but its core is not running: on the host, `systemctl status xray`",
    NEVER: f"nothing was rolled out there yet: {_ROLL_OUT}",
    MISSING: f"there is no core at {CORE} that can be run: roll it out with {_ROLL_OUT}",
    CORE: f"there is no core at {CORE} that can be run: roll it out with {_ROLL_OUT}",
    DAMAGED: f"its core at {CORE} is damaged: roll it out with {_ROLL_OUT}",
    "sudo": "its sshd forwards nothing to the API, and without that reading needs sudo:"
    " {complaint}",
}


def printed_command(host: Host) -> str:
    """Return the command that prints the counters and uptime of *host*; it needs a root shell."""
    inbound = host.api == "inbound"
    server = f"127.0.0.1:{API_PORT}" if inbound else f"unix:{SOCKET}"
    # The core's own tool would try for 3 s to reach a missing socket.
    here = ":" if inbound else f"test -S {SOCKET} || no {NOT_RUNNING}"
    return f"""\
no() {{ echo "$*" >&2; exit 1; }}
test -e {CONFIG} || test -e {CORES} || no {NEVER}
test -x {CORE} || no {MISSING}
test -s {CORE} || no {DAMAGED}
{here}
{CORE} api statsquery -s {server} && {CORE} api statssys -s {server} && exit
{CORE} version 2>&1 | grep -q ^Xray || no {DAMAGED}
exit 1"""


def printing_failed(host: Host, complaint: str) -> ApiError:
    """Return the error for a failed :func:`printed_command`; *complaint* is its last line."""
    for sign, sentence in _SIGNS.items():
        if sign in complaint:
            return ApiError(host.name, sentence.format(host=host.name, complaint=complaint))
    return ApiError(host.name, f"its own `xray api` failed: {complaint}")


def read_printed(text: str, host: Host) -> Reading:
    """Return the reading in *text*, which :func:`printed_command` printed just now.

    Raise ApiError if *text* has another form than the core's output.
    """
    read_at = datetime.now(UTC)
    try:
        counters, system = _objects(text)
        pairs = pairs_of(counters)
        uptime = count_of(system.get("Uptime", system.get("uptime", 0)), LONGEST_UPTIME)
    except (ValueError, KeyError) as error:
        message = f"its `xray api` printed no statistics ({error}): is its core the pinned one?"
        raise ApiError(host.name, message) from None
    return reading_of(
        pairs,
        host=host.name,
        way="exec",
        read_at=read_at,
        counting_since=began(read_at, uptime),
    )


def pairs_of(reply: object) -> list[tuple[Any, int]]:
    """Return the (name, bytes) pairs in a *reply* that the core printed; ValueError for others."""
    stats = list_of(object_of(reply).get("stat", []))
    return [(stat["name"], count_of(stat.get("value", 0))) for stat in map(object_of, stats)]


def _objects(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    values = jsons_of(text)
    if len(values) != 2:
        raise ValueError(f"it is {len(values)} JSON values instead of 2")
    return object_of(values[0]), object_of(values[1])
