"""Generate pages and outputs in the READMEs: `make docs`.

The pages are the CLI reference, the rules and the inventory.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from docs.inventory_page import inventory_page
from ops.cli import cli
from ops.cli.printing.findings import versions
from ops.config.lint import RULES, LintRule

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "cli.md"
RULES_PAGE = ROOT / "docs" / "rules.md"
INVENTORY_PAGE = ROOT / "docs" / "inventory.md"
RESULTS = ROOT / "bench" / "RESULTS.md"
READMES = [ROOT / "README.md", ROOT / "README.ru.md"]
_BLOCK = re.compile(r"(?<=^```console\n)\$ (ops [^\n]*)\n.*?(?=^```$)", re.DOTALL | re.MULTILINE)
_SPEED = re.compile(r"\| hosts \| `ops traffic` .*?(?=\n\n)", re.DOTALL)
_HEAD = """\
# The commands of ops

`make docs` generates this page. `ops --help` and `ops VERB --help` print the same texts.

"""
_RULES_HEAD = """\
# The rules of ops validate

`make docs` generates this page. `ops validate --explain CODE` prints the text of one rule. If
there is an error, `ops validate` fails; with `--strict` it also fails if there is a warning. If a
config asks for no statistics, rules about statistics are notes.

A host accepts a finding in `hosts.toml`, with a reason. An `ignore` without a finding is a warning:

```toml
[hosts.fra1]
ignore = { XO506 = "the site is in our own rack" }
```

| code | | |
|---|---|---|
"""


def reference() -> str:
    """Return the CLI reference."""
    return (
        _HEAD + "\n\n".join(f"## {name}\n\n```text\n{text}\n```" for name, text in _helps()) + "\n"
    )


def rules() -> str:
    """Return the page of the rules of `ops validate`."""
    return _RULES_HEAD + "\n".join(map(_row, _in_order())) + "".join(map(_rule, _in_order())) + "\n"


def _in_order() -> list[LintRule]:
    return [RULES[code] for code in sorted(RULES)]


def _row(rule: LintRule) -> str:
    link = f"[{rule.code}](#{rule.code.lower()}-{rule.name})"
    return f"| {link} | {rule.severity} | {rule.sentence} |"


def _rule(rule: LintRule) -> str:
    return (
        f"\n\n## {rule.code} {rule.name}\n\n{rule.sentence} ({str(rule.severity).capitalize()}"
        f"{versions(rule)}.)\n\n*Why:* {rule.why}\n\n*Remedy:* {rule.remedy}."
    )


def readme(file: Path) -> str:
    """Return *file* with today's output of its `$ ops ...` blocks, and with the measured speed."""
    text = _BLOCK.sub(lambda block: f"$ {block[1]}\n{_output(block[1])}\n", file.read_text())
    measured = _SPEED.search(RESULTS.read_text())
    return _SPEED.sub(lambda _: measured[0], text) if measured else text


def _helps(command: click.Command = cli, *names: str) -> Iterator[tuple[str, str]]:
    path = ("ops", *names)
    context = click.Context(
        command,
        info_name=" ".join(path),
        terminal_width=88,
        help_option_names=["-h", "--help"],
    )
    yield " ".join(path), command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None  # noqa: S101
            yield from _helps(inner, *names, name)


def _output(command: str) -> str:
    words = [sys.executable, "-m", *shlex.split(command)]
    settings = os.environ | {"NO_COLOR": "1", "COLUMNS": "88"}
    done = subprocess.run(
        words, cwd=ROOT, env=settings, check=False, text=True, capture_output=True
    )
    return (done.stdout + done.stderr).rstrip()


def main() -> None:
    """Write the pages that are out of date, and print their names.

    With --check write nothing, and exit with 1 if a page is out of date.
    """
    made = {REFERENCE: reference(), RULES_PAGE: rules(), INVENTORY_PAGE: inventory_page()}
    made |= {file: readme(file) for file in READMES}
    stale = {file: text for file, text in made.items() if file.read_text() != text}
    for file, text in stale.items():
        sys.stdout.write(f"{file.relative_to(ROOT)}\n")
        if "--check" not in sys.argv:
            file.write_text(text)
    sys.exit(1 if stale and "--check" in sys.argv else 0)


if __name__ == "__main__":
    main()
