"""Query Xray's StatsService by gRPC."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

import grpc.aio

from ops.counting.xray_api.counters import began, reading_of
from ops.counting.xray_api.statuses import api_error
from ops.counting.xray_api.stubs.stats_pb2 import (
    QueryStatsRequest,
    QueryStatsResponse,
    SysStatsRequest,
)
from ops.counting.xray_api.stubs.stats_pb2_grpc import StatsServiceStub
from ops.errors import ApiError
from ops.model import Host, Reading
from ops.model.untrusted import LONGEST_UPTIME, MOST_COUNTERS

Reply = TypeVar("Reply")
OPTIONS = (
    ("grpc.enable_http_proxy", 0),  # ignore $http_proxy
    ("grpc.enable_retries", 0),  # one try inside one deadline; the caller repeats
    ("grpc.use_local_subchannel_pool", 1),  # a connection ends with its channel
    # The default of 4 MiB is too small for more than about 40,000 users.
    ("grpc.max_receive_message_length", 32 * 2**20),
)


class Api:
    """The API of one host, over a gRPC channel."""

    def __init__(self, channel: grpc.aio.Channel, host: Host) -> None:
        self._stub = StatsServiceStub(channel)
        self._host = host

    async def read(self, *, timeout: float, previous: Reading | None = None) -> Reading:
        """Return a reading; ApiError if that fails or takes over *timeout* seconds.

        With the *previous* reading of the same run, one call is enough: the start of the run is
        known.
        """
        try:
            if previous is not None and previous.run:
                reading = self._reading(await self._counters(timeout), previous.counting_since)
                if reading.run == previous.run:
                    return reading
            counters, began_at = await asyncio.gather(self._counters(timeout), self._began(timeout))
        except grpc.aio.AioRpcError as error:
            raise api_error(self._host, error) from None
        return self._reading(counters, began_at)

    async def _counters(self, timeout: float) -> QueryStatsResponse:
        # One reply holds every counter and the run's identity. No call resets a counter.
        reply = await self._stub.QueryStats(QueryStatsRequest(), timeout=timeout)
        return self._whole(reply)

    async def _began(self, timeout: float) -> datetime:
        reply = self._whole(await self._stub.GetSysStats(SysStatsRequest(), timeout=timeout))
        if reply.Uptime > LONGEST_UPTIME:
            raise ApiError(self._host.name, f"its core claims an uptime of {reply.Uptime} seconds")
        return began(datetime.now(UTC), reply.Uptime)

    def _whole(self, reply: Reply | None) -> Reply:
        """Return *reply*; ApiError for None, which gRPC returns if it cannot parse the bytes."""
        if reply is None:
            raise ApiError(self._host.name, "its API's reply is damaged: it cannot be parsed")
        return reply

    def _reading(self, reply: QueryStatsResponse, counting_since: datetime) -> Reading:
        if len(reply.stat) > MOST_COUNTERS:
            many = f"{len(reply.stat)} counters, more than {MOST_COUNTERS}"
            raise ApiError(self._host.name, f"its API sent an impossible answer: {many}")
        return reading_of(
            ((stat.name, stat.value) for stat in reply.stat),
            host=self._host.name,
            way="socket" if self._host.api == "socket" else "port",
            read_at=datetime.now(UTC),
            counting_since=counting_since,
        )


@asynccontextmanager
async def open_api(target: str, host: Host) -> AsyncIterator[Api]:
    """Yield the API of *host* at *target* (``unix:/path``), and close its channel at the end."""
    async with grpc.aio.insecure_channel(target, options=OPTIONS) as channel:
        yield Api(channel, host)


async def read(target: str, host: Host, *, timeout: float) -> Reading:
    """Read *host* once at *target*; ApiError if that fails or takes over *timeout* seconds."""
    async with open_api(target, host) as api:
        return await api.read(timeout=timeout)
