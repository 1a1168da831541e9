"""Readings of the selected hosts: progress while they run, and the exit code they earn."""

from collections.abc import Callable, Sequence
from contextlib import closing

import click

from ops.cli.options import Selected
from ops.cli.printing import console
from ops.counting import reading
from ops.counting.reading import Round
from ops.model import Reading


def read(selected: Selected, timeout: float) -> Round:
    """Read the selected hosts once; what did not answer within *timeout* seconds is a failure."""
    hosts = selected.hosts
    with console.progress("Reading", len(hosts)) as advance:
        return reading.read_hosts(
            selected.fleet, hosts, deadline=timeout, progress=lambda *_: advance()
        )


def watch(
    selected: Selected,
    every: float,
    timeout: float,
    shown: Callable[[Sequence[Reading], Sequence[Reading]], str],
) -> None:
    """Show round after round, each beside the one before it, until Ctrl-C."""
    before: Sequence[Reading] = ()
    rounds = reading.watch(selected.fleet, selected.hosts, every=every, deadline=timeout)
    with closing(rounds):
        for now in rounds:
            if console.is_terminal():
                click.clear()
            if before:
                click.echo(shown(now.readings, before))
            console.failures(now.failures)
            before = now.readings


def unread(selected: Selected, answer: Round) -> list[str]:
    """Return the selected hosts whose counters are not in *answer*, those in maintenance too."""
    failed = [failure.host for failure in answer.failures]
    return [*failed, *(host.name for host in selected.away)]


def exit_code(answer: Round) -> int:
    """Return 0 if every host answered, 3 if some did not, 4 if none did."""
    failed = len(answer.failures)
    return console.exit_code(failed + len(answer.readings), failed)
