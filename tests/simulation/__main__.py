"""``make simulate SEEDS=1000``: let many histories happen, and say what was false."""

import os
import sys
from collections import Counter

import click

from tests.simulation.campaign import Tally, everywhere, kinds, timed
from tests.simulation.profiles import PROFILES


@click.command()
@click.argument("seeds", default="200")
@click.option("--profile", "profiles", multiple=True, type=click.Choice(list(PROFILES)))
@click.option("--without", multiple=True, metavar="EVENT", help="Leave out this kind of event.")
@click.option("--processes", default=os.cpu_count() or 1, show_default=True)
@click.option("--most", default=3, show_default=True, help="Failures to shorten of each claim.")
def simulate(
    seeds: str, profiles: tuple[str, ...], without: tuple[str, ...], processes: int, most: int
) -> None:
    """Let the histories of SEEDS happen in each profile: a count, or a range as in 100-200."""
    first, _, last = seeds.rpartition("-")
    wanted = range(int(first), int(last)) if first else range(int(last))
    total, told = Tally(), 0.0
    for total, seconds in timed(everywhere(profiles or list(PROFILES), wanted, processes, without)):
        if seconds - told > 10:
            told = seconds
            click.echo(_line(total, seconds), err=True)
    click.echo(_line(total, seconds))
    claims = Counter(o.failure.claim for _, _, o in total.failures if o.failure)
    for claim, count in claims.most_common():
        click.echo(f"{count:>6} {claim}")
    for text in kinds(total.failures, most):
        click.echo(f"\n{text}")
    sys.exit(bool(total.failures))


def _line(total: Tally, seconds: float) -> str:
    heard = ", ".join(f"{count} {word}" for word, count in total.heard.most_common())
    return (
        f"{total.histories} histories, {total.steps} steps, {total.histories / seconds:.1f} "
        f"histories a second; answers: {heard}; {len(total.failures)} failures"
    )


simulate()
