"""Long runs with random input: `make endurance`. Their results are the page ENDURANCE.md.

Each entry of RUNS writes one section of the page. A failure ends the program and prints its case.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bench import page
from tests.fuzzing.setting import laid_out
from tests.fuzzing.trial import ANSWERS_A_CASE, SEED, Outcome, Trial
from tests.simulation.campaign import Tally, everywhere, shown
from tests.simulation.profiles import PROFILES

PAGE = "ENDURANCE.md"
FUZZED = """
## Hosts with random answers

A host sends true answers, answers with other values, mangled bytes and noise, on every channel:
the gRPC reply, the output of `xray api`, the look at its disk, stored readings, its version, its
config and its state. The code behind `ops traffic`, `collect`, `hosts`, `compare`,
`secrets recover` and `diff --servers` reads them. Accepted figures are compared with the
bytes, and the ledger's total with their sum. Errors are short and contain no control characters.
"""


def fuzzed(count: int) -> Iterator[str]:
    """Run *count* random answers of hosts, and yield their section of the page."""
    workers = os.cpu_count() or 1
    cases = count // ANSWERS_A_CASE // workers + 1
    began = time.monotonic()
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        parts = list(pool.map(_part, range(0, cases * workers, cases), [cases] * workers))
    outcome = Outcome.joined(parts)
    outcome.seconds = time.monotonic() - began
    yield FUZZED
    yield from _table(outcome)


def _part(first: int, cases: int) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOME"] = folder
        return Trial(laid_out(Path(folder) / "fleet"), Path(folder)).run(first, cases)


def _table(outcome: Outcome) -> Iterator[str]:
    answers = sum(outcome.answers.values())
    yield f"{answers:,} answers in {outcome.seconds:.0f} s (seed {SEED}): no traceback, no wrong"
    yield f"figure. The slowest case took {outcome.slowest:.2f} s. No process grew by more than"
    yield f"{outcome.grown / 1024:.0f} MiB after its first 1,000 cases."
    yield ""
    yield "| read by | believed | disk only | refused |"
    yield "|---|---|---|---|"
    for verb in sorted({kind.split(": ")[0] for kind in outcome.answers}):
        kinds = ("believed", "disk only", "refused")
        cells = [f"{outcome.answers[f'{verb}: {kind}']:,}" for kind in kinds]
        yield f"| {verb} | {' | '.join(cells)} |"
    yield ""
    yield f"Visits booked: {sum(outcome.booked.values()):,}, {outcome.bytes:,} bytes."


SIMULATED = """
## Simulated fleets

Months of simulated fleets, as `make simulate` plays them (`tests/simulation`): a third at rest, a
third normal, a third wild. Each answer of the ledger is compared with the moved bytes.
"""


def simulated(count: int) -> Iterator[str]:
    """Run *count* histories of simulated fleets, and yield their section of the page."""
    total, began = Tally(), time.monotonic()
    seeds = range(-(-count // len(PROFILES)))
    for part in everywhere(list(PROFILES), seeds, os.cpu_count() or 1):
        total.add(part)
        if total.failures:
            raise SystemExit(shown(*total.failures[0]))
    yield SIMULATED
    yield from _certainties(total, time.monotonic() - began)


def _certainties(total: Tally, seconds: float) -> Iterator[str]:
    """Yield the results of histories without a failure."""
    yield f"{total.histories:,} histories of {total.steps:,} events in {seconds:.0f} s, which is"
    yield f"{total.histories / seconds:.0f} a second: no figure was false. The ledger's answers:"
    yield ""
    yield "| certainty | figures | of them 0 bytes |"
    yield "|---|---|---|"
    for word in ("exact", "at least", "unknown"):
        nothing = total.heard[f"{word} 0"]
        yield f"| {word} | {total.heard[word] + nothing:,} | {nothing:,} |"


RUNS: dict[str, Callable[[int], Iterator[str]]] = {"answers": fuzzed, "histories": simulated}
"""The runs, by the name of the option with their count."""
COUNTS = {"answers": 100_000, "histories": 20_000}


def main() -> None:
    """Run everything, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.endurance")
    for name, count in COUNTS.items():
        parser.add_argument(f"--{name}", type=int, default=count, help=f"How many {name}.")
    counts = vars(parser.parse_args())

    def lines() -> Iterator[str]:
        yield "# Endurance"
        yield ""
        yield f"`make endurance`, {page.conditions()}."
        for name, run in RUNS.items():
            yield from run(counts[name])

    page.write(PAGE, lines())


if __name__ == "__main__":
    main()
