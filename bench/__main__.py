"""Measure, print the result, and write it to ``bench/RESULTS.md``."""

import argparse
import sys
from pathlib import Path

from bench import enclosure
from bench.tools import ensure_ansible

HERE = Path(__file__).parent
STATE = HERE.parent / "build" / "bench"
SIZES = [1, 10, 100, 300, 1000]


def main() -> None:
    """Run the measurement with the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--hosts",
        type=int,
        nargs="+",
        default=SIZES,
        help="numbers of hosts (default: %(default)s)",
    )
    parser.add_argument(
        "--no-peers", action="store_true", help="measure only ops, and write no file"
    )
    options = parser.parse_args()
    if not options.no_peers:
        ensure_ansible(STATE)  # needs the network, which the enclosure does not have
    enclosure.enter()
    if not enclosure.leads_nowhere():
        sys.exit(f"{enclosure.INSIDE} is set, but this is no enclosure: unset it")
    _measure(options.hosts, peers=not options.no_peers)


def _measure(sizes: list[int], *, peers: bool) -> None:
    # Imported here, because the enclosure starts this program again.
    from bench import page
    from bench.reading import run
    from bench.report import markdown

    report = markdown(run(STATE, sizes, peers=peers))
    if peers:
        page.write("RESULTS.md", [report])
    else:
        print(report)


if __name__ == "__main__":
    main()
