"""Read each host's counters, network card and connections over one connection."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ops.counting.reading.fan_out import on_each
from ops.counting.reading.host_reader import API_SHARE, HostReader, open_reader
from ops.counting.reading.network_cards import LIST_CARDS, outer_cards
from ops.counting.tunnel import Deadline, open_dialer
from ops.errors import HostError
from ops.model import Fleet, Host, NicCounters
from ops.model.visible import visible
from ops.reporting.comparison.estimate import Estimate, command, estimate
from ops.reporting.comparison.figures import Comparison, Figures, since
from ops.reporting.rows import by_key


async def compared(
    fleet: Fleet, hosts: Sequence[Host], *, deadline: float, over: float | None
) -> Comparison:
    """Return the figures of *hosts* since their cores started, or of *over* seconds from now."""
    async with open_dialer(fleet) as dialer:

        async def ask(host: Host, until: Deadline) -> Figures:
            async with open_reader(dialer, host, until) as reader:
                return await _figures(reader, host, until)

        first = await on_each(hosts, ask, deadline=deadline)
        if over is None:
            return Comparison(hosts=tuple(first.results.values()), failures=first.failures)
        await asyncio.sleep(over)
        asked = [host for host in hosts if host.name in first.results]
        second = await on_each(asked, ask, deadline=deadline)
    before = first.results.values()
    return Comparison(
        hosts=tuple(since(before, figures) for figures in second.results.values()),
        failures=(*first.failures, *second.failures),
    )


async def _figures(reader: HostReader, host: Host, until: Deadline) -> Figures:
    """Return the figures of one host; raises HostError if it has none."""
    reading, failure = None, None
    try:
        reading = await reader.read(until.part(API_SHARE))
    except HostError as error:
        failure = error
    figures = Figures(
        host=host.name,
        reading=reading,
        users=by_key(reading.users) if reading else {},
        error=failure.reason if failure else "",
    )
    try:
        printed = await reader.line.run(f"{LIST_CARDS}\n{command(host)}", until)
    except HostError as error:
        if failure:
            raise failure from None
        return replace(figures, trouble=error.reason)
    try:
        card, guess = parse(printed, host)
    except ValueError as error:
        return replace(figures, trouble=f"its other figures cannot be read: {visible(str(error))}")
    return replace(figures, card=card, estimate=guess)


def parse(printed: str, host: Host) -> tuple[NicCounters | None, Estimate]:
    """Return the network card's counters, None without a card, and the estimate.

    Raises ValueError if *printed*, the host's output, has another form.
    """
    lines = printed.split("\n")
    card = outer_cards([line.split(" ") for line in lines], host.name, datetime.now(UTC))
    moved = card.received + card.sent if card else 0
    return card, estimate(lines, moved)
