"""The docs say what the code does: what can be generated is, and is fresh."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = runpy.run_path(str(ROOT / "docs" / "__main__.py"), run_name="docs")


MADE = [("docs/cli.md", "reference"), ("docs/rules.md", "rules"), ("README.md", "readme")]


@pytest.mark.parametrize(("file", "made"), MADE)
def test_what_is_generated_is_fresh(file: str, made: str) -> None:
    assert (ROOT / file).read_text() == DOCS[made](), "run `make docs`"
