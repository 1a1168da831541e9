"""Long runs against what nobody thinks of: `make endurance`; the last results are a page.

Each entry of RUNS makes one section of the page. A failure ends the run with its case.
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

PAGE = "ENDURANCE.md"
FUZZED = """
## Hosts that answer anything

A host sends true answers, answers with other values, mangled bytes and noise, on every channel:
the gRPC reply, the output of `xray api`, the look at its disk, kept readings, its version, its
config and its state. The code behind `ops traffic`, `collect`, `hosts`, `compare`,
`secrets recover` and `diff --live` reads them. Whatever it believes is compared with what the
bytes say, and the ledger's total with the sum of it. Errors are short and steer no terminal.
"""


def fuzzed(count: int) -> Iterator[str]:
    """Yield the section about hosts that answer anything, after *count* answers."""
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
    for what in sorted({kind.split(": ")[0] for kind in outcome.answers}):
        kinds = ("believed", "disk only", "refused")
        cells = [f"{outcome.answers[f'{what}: {kind}']:,}" for kind in kinds]
        yield f"| {what} | {' | '.join(cells)} |"
    yield ""
    yield f"Visits booked: {sum(outcome.booked.values()):,}, {outcome.bytes:,} bytes."


RUNS: dict[str, Callable[[int], Iterator[str]]] = {"fuzzed": fuzzed}


def main() -> None:
    """Make every run, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.endurance")
    parser.add_argument("--answers", type=int, default=100_000, help="Answers of hosts to read.")
    count = parser.parse_args().answers

    def lines() -> Iterator[str]:
        yield "# Endurance"
        yield ""
        yield f"`make endurance`, {page.conditions()}."
        for run in RUNS.values():
            yield from run(count)

    page.write(PAGE, lines())


if __name__ == "__main__":
    main()
