"""Turn gRPC's statuses into sentences."""

from grpc import StatusCode
from grpc.aio import AioRpcError

from ops.errors import ApiError
from ops.model import Host


class UnavailableError(ApiError):
    """Nothing answers at the target: the core is down, or sshd refuses to forward to it."""


_SENTENCES = {
    StatusCode.UNAVAILABLE: "ssh is up, but nothing answers at its API ({details}): on the host,"
    " `systemctl status xray`",
    StatusCode.DEADLINE_EXCEEDED: "ssh is up, but its API gave no answer in time: the core hangs,"
    " or its API inbound has no routing rule",
    StatusCode.UNIMPLEMENTED: "its core's API has no StatsService: roll it out with"
    " `pyinfra inventory deploy.py --limit {host}`",
    StatusCode.INTERNAL: "its API's reply is damaged ({details})",
    StatusCode.RESOURCE_EXHAUSTED: "its API's reply is too large ({details}): one core should not"
    " hold that many users",
}


def api_error(host: Host, error: AioRpcError) -> ApiError:
    """Return the ApiError for *error*, which gRPC raised in a call to *host*."""
    status = error.code()
    kind = UnavailableError if status is StatusCode.UNAVAILABLE else ApiError
    sentence = _SENTENCES.get(status, f"its API answered {status.name} ({{details}})")
    return kind(host.name, sentence.format(host=host.name, details=error.details() or "no details"))
