"""Make the CLI reference, and the README's blocks of output, anew from the code: `make docs`."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from ops.cli import cli

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "cli.md"
README = ROOT / "README.md"
_BLOCK = re.compile(r"(?<=^```console\n)\$ (ops [^\n]*)\n.*?(?=^```$)", re.DOTALL | re.MULTILINE)
_HEAD = """\
# The commands of ops

Made from the code by `make docs`. `ops --help` and `ops VERB --help` show the same.

"""


def reference() -> str:
    """Return the CLI reference."""
    return (
        _HEAD + "\n\n".join(f"## {name}\n\n```text\n{text}\n```" for name, text in _helps()) + "\n"
    )


def readme() -> str:
    """Return the README with the output of its `$ ops ...` blocks as it is today."""
    return _BLOCK.sub(lambda block: f"$ {block[1]}\n{_output(block[1])}\n", README.read_text())


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


if __name__ == "__main__":
    REFERENCE.write_text(reference())
    README.write_text(readme())
