"""The same API through the host's own ``xray api``, where sshd forwards nothing.

Its JSON follows protobuf's rules only loosely: an int64 may be a string, a zero is left out.
"""

import json
from datetime import UTC, datetime
from typing import Any

from ops.errors import ApiError
from ops.model import Host, Reading
from ops.model.layout import API_PORT, CORE, SOCKET
from ops.xray_api.counters import began, reading_of

NOT_RUNNING = "failed to dial"
"""What the core's own tool says when nobody listens."""
_SIGNS = {
    NOT_RUNNING: "ssh is up, but its core is not running: on the host, `systemctl status xray`",
    "sudo:": "its sshd forwards nothing to the API, and without that reading needs sudo without a"
    " password",
    CORE: f"there is no core at {CORE}: roll it out with"
    " `pyinfra inventory deploy.py --limit {host}`",
}


def printed_command(host: Host) -> str:
    """Return the command that prints the counters and the uptime of *host*, for a root shell."""
    if host.api == "inbound":
        return _ask(f"127.0.0.1:{API_PORT}")
    # The core's own tool would try for 3 s to reach a socket that is not there.
    return f"test -S {SOCKET} || {{ echo {NOT_RUNNING} >&2; exit 1; }}; {_ask(f'unix:{SOCKET}')}"


def _ask(server: str) -> str:
    return f"{CORE} api statsquery -s {server} && {CORE} api statssys -s {server}"


def printing_failed(host: Host, complaint: str) -> ApiError:
    """Return why :func:`printed_command` failed, given the last line of its *complaint*."""
    for sign, sentence in _SIGNS.items():
        if sign in complaint:
            return ApiError(host.name, sentence.format(host=host.name))
    return ApiError(host.name, f"its own `xray api` failed: {complaint}")


def read_printed(text: str, host: Host) -> Reading:
    """Return the reading in *text*, which :func:`printed_command` printed just now.

    Raise ApiError if it is not what the core prints.
    """
    read_at = datetime.now(UTC)
    try:
        counters, system = _objects(text)
        pairs = [(stat["name"], int(stat.get("value", 0))) for stat in counters.get("stat", [])]
        uptime = int(system.get("Uptime", system.get("uptime", 0)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = (
            f"its `xray api` printed what is not statistics ({error}): is its core the pinned one?"
        )
        raise ApiError(host.name, message) from None
    return reading_of(
        pairs,
        host=host.name,
        way="exec",
        read_at=read_at,
        counting_since=began(read_at, uptime),
    )


def _objects(text: str) -> tuple[Any, Any]:
    """Return the two JSON values that stand one after the other in *text*."""
    decoder = json.JSONDecoder()
    text = text.strip()
    first, end = decoder.raw_decode(text)
    second, _ = decoder.raw_decode(text[end:].lstrip())
    return first, second
