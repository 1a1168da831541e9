"""The generated pages are up to date, and the page on accounting explains every reason."""

import re
import subprocess
import sys
from pathlib import Path

from ops.ledger import WORDS

ROOT = Path(__file__).parent.parent
_CITED = re.compile(r"docs/xray\.md,\s+([^).;:\"`]+)")


def test_what_is_generated_is_fresh() -> None:
    # In a process of its own: Click remembers the help options of whoever asked first.
    check = [sys.executable, "-m", "docs", "--check"]
    done = subprocess.run(check, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.stdout == "", "run `make docs`"
    assert done.returncode == 0, done.stderr


def test_the_page_on_accounting_explains_every_reason() -> None:
    page = (ROOT / "docs" / "accounting.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert {kind for row in rows for kind in re.findall(r"`(\w+)`", row)} == WORDS.keys()


def test_every_citation_of_the_facts_about_xray_is_a_heading() -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "xray.md").read_text(), re.MULTILINE)
    known = {heading.casefold() for heading in headings}
    cited = {
        (" ".join(heading.split()).casefold(), file.relative_to(ROOT))
        for room in ("ops", "templates", "tests", "lab", "bench")
        for file in sorted((ROOT / room).rglob("*"))
        if file.suffix in {".py", ".j2", ".toml"}
        for heading in _CITED.findall(_joined(file.read_text()))
    }
    assert {(heading, file) for heading, file in cited if heading not in known} == set()
    assert len(cited) > 20


def _joined(text: str) -> str:
    """Return *text* without the signs of comments at line starts, because a citation may wrap."""
    return re.sub(r"\n\s*#", "\n", text)
