"""The texts of the code that people read, and two measures of how hard they are."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

_CLAUSE = re.compile(r"(?<![\w-])(?:what|who|whose|whom|whoever|whatever)(?!\w)", re.IGNORECASE)
_CODE = re.compile(r"^(?:>>>|\.\.\. |  ).*$", re.MULTILINE)
_END = re.compile(r"(?<=[.!?:;])\s+|\n\n|\n(?=\* |- |\| )")
LONGEST = 25
"""Words of a sentence that is easy to read."""


class Text(NamedTuple):
    """A docstring or a help text, and its place."""

    place: str
    text: str

    @property
    def has_clause(self) -> bool:
        """Return whether a clause with what, who or whose is in it."""
        return bool(_CLAUSE.search(self.text))

    @property
    def sentences(self) -> list[str]:
        """Return its sentences; examples and indented code are left out."""
        return [part for part in _END.split(_CODE.sub("", self.text)) if part.strip()]


def clauses(texts: Sequence[Text]) -> list[Text]:
    """Return the texts with a clause with what, who or whose."""
    return [text for text in texts if text.has_clause]


def long_sentences(texts: Iterable[Text]) -> list[Text]:
    """Return the sentences with more words than is easy to read."""
    return [
        Text(text.place, sentence)
        for text in texts
        for sentence in text.sentences
        if len(sentence.split()) > LONGEST
    ]


def docstrings(file: Path) -> Iterator[Text]:
    """Yield the docstrings of *file*, those of attributes included."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if text := ast.get_docstring(node):
                yield Text(f"{file}:{getattr(node, 'lineno', 1)}", text)
            for before, after in zip(node.body, node.body[1:], strict=False):
                if isinstance(before, ast.Assign | ast.AnnAssign) and (text := _string(after)):
                    yield Text(f"{file}:{after.lineno}", text)


def _string(node: ast.stmt) -> str:
    value = node.value if isinstance(node, ast.Expr) else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def help_texts(command: click.Command, path: str = "ops") -> Iterator[Text]:
    """Yield the help of *command*, of its options and of the commands below it."""
    yield Text(f"{path} --help", (command.help or "").replace("\b\n", ""))
    for option in command.params:
        if isinstance(option, click.Option) and option.help:
            yield Text(f"{path} {option.opts[0]}", option.help)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if below := command.get_command(context, name):
                yield from help_texts(below, f"{path} {name}")
