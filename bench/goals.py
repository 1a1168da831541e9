"""Compare the results with the goals. A missed goal is reported, but is no failure."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.measure import Sample
from bench.reading import HUNG_TIMEOUT, Results


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict about one goal."""

    goal: str
    found: str
    met: bool


def verdicts(results: Results) -> Iterator[Verdict]:
    """Yield a verdict about each goal that *results* cover."""
    figures = _Figures(results)
    if ratio := figures.ratio(100, "ansible -m shell", lambda sample: sample.wall):
        yield Verdict("100 hosts: wall <= 1/20 of ansible's", f"1/{ratio:.0f}", ratio >= 20)
    if ratio := figures.ratio(100, "pyinfra exec", lambda sample: sample.cpu):
        yield Verdict("100 hosts: client CPU <= 1/3 of pyinfra's", f"1/{ratio:.1f}", ratio >= 3)
    if cpu := figures.ours(300, lambda sample: sample.cpu):
        each = cpu / 300 * 1000
        yield Verdict("300 hosts: client CPU <= 8 ms a host", f"{each:.1f} ms", each <= 8)
    if wall := figures.ours(1, lambda sample: sample.wall):
        yield Verdict("1 host: wall <= 0.6 s", f"{wall:.2f} s", wall <= 0.6)
    if memory := figures.ours(300, lambda sample: sample.memory):
        yield Verdict("300 hosts: memory <= 100 MB", f"{memory:.0f} MB", memory <= 100)
    if wall := figures.ours(1000, lambda sample: sample.wall):
        yield Verdict("1,000 hosts: wall <= 10 s", f"{wall:.1f} s", wall <= 10)
    if results.hung:
        yield _hung(results.hung, results.hung_hosts)


def _hung(sample: Sample, hosts: int) -> Verdict:
    goal = f"{hosts} of {hosts} hung: all end at one deadline, {HUNG_TIMEOUT:g} s"
    late = sample.wall - HUNG_TIMEOUT
    found = f"{sample.wall:.2f} s, exit {sample.status} (its start and report included)"
    return Verdict(goal, found, late <= 1 and sample.status == 4)


class _Figures:
    """The medians of the samples with 200 users."""

    def __init__(self, results: Results) -> None:
        self._samples = {
            (setting.hosts, setting.contestant): samples
            for setting, samples in results.samples.items()
            if setting.users == 200 and setting not in results.failed
        }

    def ours(self, hosts: int, figure: Callable[[Sample], float]) -> float | None:
        """Return the median of our *figure* with this many *hosts*; None if it was not measured."""
        return self._median(self._samples.get((hosts, "ops traffic"), []), figure)

    def ratio(self, hosts: int, peer: str, figure: Callable[[Sample], float]) -> float | None:
        """Return the peer's *figure* as a multiple of ours."""
        own = self.ours(hosts, figure)
        other = self._median(self._samples.get((hosts, peer), []), figure)
        return other / own if own and other else None

    def _median(self, samples: list[Sample], figure: Callable[[Sample], float]) -> float | None:
        return statistics.median(map(figure, samples)) if samples else None
