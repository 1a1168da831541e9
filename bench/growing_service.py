"""A StatsService whose counters grow: ``python -m bench.growing_service USERS EVERY PATH``.

Every so many users move something each second. The answers are made once, so that they cost the
machine little; after the last one nothing moves any more.
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


class Growing(grpc.GenericRpcHandler):
    """The two calls that are made; what is counted depends on the second."""

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
        """Return what answers the call, if it is one of the two."""
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
