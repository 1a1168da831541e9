"""The recipes of CONTRIBUTING.md, followed in a copy of the repository: they work as written."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests.pages import ROOT

pytestmark = pytest.mark.slow
FOUR = "    "


def recipe(title: str) -> list[str]:
    """Return the blocks of code of the recipe *title*."""
    text = (ROOT / "CONTRIBUTING.md").read_text().split(f"## Recipe: {title}\n")[1]
    section = text.split("\n## ")[0]
    found = re.findall(r"^ +```\w+\n(.*?)^ +```$", section, flags=re.MULTILINE | re.DOTALL)
    return [dedent(block) for block in found]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the files that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def run(copy: Path) -> Callable[..., None]:
    """Return a function that runs a module of Python in the copy."""

    def run_(*words: str) -> None:
        command = [sys.executable, "-m", *words]
        done = subprocess.run(command, cwd=copy, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    return run_


def append(file: Path, code: str) -> None:
    file.write_text(f"{file.read_text()}\n\n{code}")


def put_before(file: Path, line: str, code: str) -> None:
    """Write *code* before the one line that begins with *line*."""
    assert len(re.findall(f"^{re.escape(line)}", file.read_text(), re.MULTILINE)) == 1
    file.write_text(file.read_text().replace(f"\n{line}", f"\n{indent(code, FOUR)}{line}"))


def test_a_verb(copy: Path, run: Callable[..., None]) -> None:
    function, verb, line, test = recipe("a verb")
    (copy / "ops/reporting/groups.py").write_text(function)
    (copy / "ops/cli/groups.py").write_text(verb)
    put_before(copy / "ops/cli/__init__.py", '    "hosts":', line)
    append(copy / "tests/test_cli.py", test)
    run("ruff", "check", "ops", "tests/test_cli.py")
    run("ruff", "format", "--check", "ops", "tests/test_cli.py")
    run("pytest", "tests/test_cli.py", "-k", "groups or help or example")
    run("docs")
    assert "## ops groups" in (copy / "docs/cli.md").read_text()


def test_a_lint_rule(copy: Path, run: Callable[..., None]) -> None:
    rule, test = recipe("a lint rule")
    append(copy / "ops/config/lint/rules/inbounds.py", rule)
    put_before(copy / "tests/test_lint.py", '    ("XO501",', test)
    run("ruff", "check", "ops", "tests/test_lint.py")
    run("ruff", "format", "--check", "ops", "tests/test_lint.py")
    run("pytest", "tests/test_lint.py", "-k", "XO409 or render or sentences")
    run("docs")
    assert "## XO409 port-0" in (copy / "docs/rules.md").read_text()


def test_an_inbound_kind(copy: Path, run: Callable[..., None]) -> None:
    template, allowed, sample = recipe("an inbound kind")
    (copy / "templates/inbounds/trojan-ws-tls.json.j2").write_text(template)
    file = copy / "ops/fleet/inventory/inbounds.py"
    before = re.search(r"^    if protocol == \"trojan\".*\n.*\n", file.read_text(), re.MULTILINE)
    assert before
    file.write_text(file.read_text().replace(before[0], indent(allowed, FOUR)))
    put_before(copy / "tests/sample.py", '    {"name": "ss",', sample)
    run("ruff", "check", "ops", "tests/sample.py")
    run("ruff", "format", "--check", "ops", "tests/sample.py")
    run("pytest", "tests/test_inbounds.py", "-k", "trojan-ws")
    run("pytest", "tests/test_render.py", "tests/test_links.py", "tests/test_rollout.py")
