"""The generated pages are up to date, and the page on accounting explains every reason."""

import re
import subprocess
import sys
from pathlib import Path

from ops.ledger import WORDS


def test_what_is_generated_is_fresh() -> None:
    # In a process of its own: Click remembers the help options of whoever asked first.
    check = [sys.executable, "-m", "docs", "--check"]
    root = Path(__file__).parent.parent
    done = subprocess.run(check, cwd=root, check=False, capture_output=True, text=True)
    assert done.stdout == "", "run `make docs`"
    assert done.returncode == 0, done.stderr


def test_the_page_on_accounting_explains_every_reason() -> None:
    page = (Path(__file__).parent.parent / "docs" / "accounting.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert {kind for row in rows for kind in re.findall(r"`(\w+)`", row)} == WORDS.keys()
