"""A StatsService with a given number of users: ``python -m bench.stats_service USERS PATH``.

It answers like the core, with bytes made at the start, so that it costs little CPU.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from bench.counters import counters
from ops.counting.xray_api.stubs.stats_pb2 import QueryStatsResponse, Stat, SysStatsResponse

SERVICE = "/xray.app.stats.command.StatsService/"


class Answers(grpc.GenericRpcHandler):
    """A handler of the two calls of `ops`, with fixed answers."""

    def __init__(self, users: int) -> None:
        stats = [Stat(name=name, value=value) for name, value in counters(users).items()]
        self._answers = {
            "QueryStats": QueryStatsResponse(stat=stats).SerializeToString(),
            "GetSysStats": SysStatsResponse(Uptime=86_400).SerializeToString(),
        }

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Return the handler of the call, or None for another call."""
        answer = self._answers.get(details.method.removeprefix(SERVICE))
        if answer is None:
            return None
        return grpc.unary_unary_rpc_method_handler(lambda _request, _context: answer)


def serve(users: int, path: str) -> None:
    """Serve *users* at the unix socket *path* until killed."""
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Answers(users),))
    server.add_insecure_port(f"unix:{path}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
