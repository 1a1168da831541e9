"""Write the report of `bench.reading`: medians and ratios."""

import statistics
from collections.abc import Callable, Iterator

from bench.goals import verdicts
from bench.measure import Sample
from bench.reading import MANY_USERS, Results, Setting

OURS = "ops traffic"
HOW = """\
How: `python -m bench`, {how}. One sshd answers at every address of the loopback, in a network
namespace without a way out. One StatsService replaces the core of every host. **They run on the
same cores as the clients**, so walls are upper bounds. Client CPU is the reliable figure. The peers
fetch a stored output of `xray api statsquery` with `cat`; the real program costs each host about
50 ms more. ansible runs with its defaults (5 forks), and with the settings that its documentation
advises for speed. pyinfra asks all hosts in parallel, ssh 32 of them. All tools check host keys.
CPU includes all descendants. Memory is the largest sum over all processes (Pss). Figures are
medians, and the tools took turns. Only the first run checks the inventory, and takes 0.1 s more.
"""
_IN_SHORT = {
    "pyinfra exec": "pyinfra exec",
    "xargs": "32 ssh at once",
    "ansible -m shell, 25": "ansible, 25 forks, pipelined",
}
"""The peers in the README's table, by the start of their names."""


def markdown(results: Results) -> str:
    """Return the report of *results* as Markdown, ratios first."""
    parts = [
        "# Measurements\n",
        "## In short\n",
        *_in_short(results),
        "",
        *_section("Reading every host, 200 keys each", results, 200),
        *_section(f"Reading every host, {MANY_USERS:,} keys each", results, MANY_USERS),
        "## Goals\n",
        "| goal | found | met |\n|---|---|---|",
        *(f"| {v.goal} | {v.found} | {'yes' if v.met else '**no**'} |" for v in verdicts(results)),
        "",
        HOW.format(how=results.how),
    ]
    return "\n".join(parts)


def _in_short(results: Results) -> Iterator[str]:
    """Yield the README's table: our figures, and those of the peers as multiples of ours."""
    yield f"| hosts | `ops traffic` | {' | '.join(_IN_SHORT.values())} |"
    yield "|--:|---" + "|---" * len(_IN_SHORT) + "|"
    for hosts in sorted({setting.hosts for setting in results.samples}):
        own = results.samples[Setting(hosts, 200, OURS)]
        figures = f"{median(own, wall):.2g} s wall, {median(own, cpu):.2g} s CPU"
        peers = " | ".join(_beside(results, hosts, begin) for begin in _IN_SHORT)
        yield f"| {hosts:,} | {figures}, {median(own, memory):.0f} MB | {peers} |"


def _beside(results: Results, hosts: int, begin: str) -> str:
    own = results.samples[Setting(hosts, 200, OURS)]
    for setting, samples in results.samples.items():
        asked = (setting.hosts, setting.users) == (hosts, 200)
        if asked and setting.contestant.startswith(begin):
            walls, cpus = (median(samples, f) / median(own, f) for f in (wall, cpu))
            return f"{walls:.2g} x, {cpus:.2g} x"
    return ""


def _section(title: str, results: Results, users: int) -> Iterator[str]:
    settings = [setting for setting in results.samples if setting.users == users]
    yield f"## {title}\n"
    yield "| hosts | | client CPU | wall | CPU s | wall s | memory MB | other side's CPU s | runs |"
    yield "|--:|---|--:|--:|--:|--:|--:|--:|--:|"
    for setting in sorted(settings, key=lambda setting: setting.hosts):
        yield _row(results, setting)
    yield ""


def _row(results: Results, setting: Setting) -> str:
    samples = results.samples[setting]
    own = results.samples[Setting(setting.hosts, setting.users, OURS)]

    def ratio(figure: Callable[[Sample], float]) -> str:
        if setting.contestant == OURS:
            return "1"
        return f"{median(samples, figure) / median(own, figure):.2g} x"

    cells = (
        str(setting.hosts),
        setting.contestant + (" (failed)" if setting in results.failed else ""),
        ratio(cpu),
        ratio(wall),
        f"{median(samples, cpu):.2f}",
        f"{median(samples, wall):.2f}",
        f"{median(samples, memory):.0f}",
        f"{results.other_side[setting]:.1f}",
        str(len(samples)),
    )
    return f"| {' | '.join(cells)} |"


def median(samples: list[Sample], figure: Callable[[Sample], float]) -> float:
    """Return the median of one *figure* of *samples*."""
    return statistics.median(map(figure, samples))


def cpu(sample: Sample) -> float:
    """Return the CPU seconds of *sample*."""
    return sample.cpu


def wall(sample: Sample) -> float:
    """Return the wall seconds of *sample*."""
    return sample.wall


def memory(sample: Sample) -> float:
    """Return the memory of *sample* in MB."""
    return sample.memory
