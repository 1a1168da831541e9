"""A StatsService with growing counters: ``python -m bench.growing_service USERS EVERY PATH``.

One in EVERY users changes each second. All answers are made at the start, so that serving them is
cheap. After the last one the counters stay.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from bench.counters import counters
from bench.stats_service import SERVICE
from ops.counting.xray_api.stubs.stats_pb2 import QueryStatsResponse, Stat, SysStatsResponse

ANSWERS = 120
"""The number of answers, one for each second."""


class Growing(grpc.GenericRpcHandler):
    """A handler of the two calls of `ops`. Its counters depend on the time."""

    def __init__(self, users: int, every: int) -> None:
        self._began = time.monotonic()
        self._system = SysStatsResponse(Uptime=86_400).SerializeToString()
        start = counters(users)
        self._answers = []
        for number in range(ANSWERS):
            for index, name in enumerate(start):
                start[name] += 1_000_003 if (index // 2 + number) % every == 0 else 0
            stats = [Stat(name=name, value=value) for name, value in start.items()]
            self._answers.append(QueryStatsResponse(stat=stats).SerializeToString())

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Return the handler of the call, or None for another call."""
        if details.method == SERVICE + "GetSysStats":
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: self._system)
        return grpc.unary_unary_rpc_method_handler(self._now)

    def _now(self, _request: bytes, _context: Any) -> bytes:
        second = int(time.monotonic() - self._began)
        return self._answers[min(second, ANSWERS - 1)]


def serve(users: int, every: int, path: str) -> None:
    """Serve at the unix socket *path* until killed."""
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Growing(users, every),))
    server.add_insecure_port(f"unix:{path}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
