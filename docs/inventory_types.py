"""The types of the inventory's fields in words, from the source of the annotations."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

_OPS = Path(__file__).parent.parent / "ops"
_SOURCES = ("fleet/inventory/values.py", "fleet/inventory/shape/ledger.py", "model/inbound.py")
"""The modules that define kinds of values."""
_KIND = "[A-Z][A-Za-z0-9]*[a-z0-9]"
"""The names of types in the code. Constants have no small letters."""
_SIMPLE = {"int": "whole number", "str": "text", "bool": "true or false", "date": "date"}


def docstrings(body: Iterable[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Yield each statement that a docstring follows, with the docstring."""
    for statement, following in pairwise(body):
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            yield statement, str(following.value.value)


@cache
def kinds() -> dict[str, tuple[str, str]]:
    """Return the name and the form of each kind of values, by its name in the code."""
    found = {}
    for statement, docstring in docstrings(_statements()):
        if isinstance(statement, ast.Assign) and ": " in docstring:
            name, _, form = " ".join(docstring.split()).replace("``", "`").partition(": ")
            found[ast.unparse(statement.targets[0])] = (name, form)
    return {name: kind for name, kind in found.items() if re.fullmatch(_KIND, name)}


@cache
def _aliases() -> dict[str, ast.expr]:
    assignments = (node for node in _statements() if isinstance(node, ast.Assign))
    return {ast.unparse(node.targets[0]): node.value for node in assignments}


@cache
def _statements() -> list[ast.stmt]:
    return [node for source in _SOURCES for node in ast.parse((_OPS / source).read_text()).body]


def type_of(annotation: ast.expr) -> str:
    """Return *annotation*, the type of a field, in words."""
    if isinstance(annotation, ast.BinOp):  # X | None: the field may be missing
        return type_of(annotation.left)
    if isinstance(annotation, ast.Subscript):
        return _generic(ast.unparse(annotation.value), annotation.slice)
    name = ast.unparse(annotation)
    if name in kinds():
        return kinds()[name][0]
    return type_of(_aliases()[name]) if name in _aliases() else _SIMPLE.get(name, "table")


def _generic(name: str, inner: ast.expr) -> str:
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name == "Literal":
        values = (ast.literal_eval(part) for part in parts)
        return " or ".join(f'`"{value}"`' for value in values if value)
    if name == "dict":
        return f"table: {type_of(parts[0])} = {type_of(parts[1])}"
    if name == "list":
        return f"list: {type_of(parts[0])}"
    limits = _limits(parts[1]) if name == "Annotated" else ""
    return type_of(parts[0]) + limits


def _limits(annotation: ast.expr) -> str:
    """Return the bounds of a number; nothing if there are none."""
    keywords = annotation.keywords if isinstance(annotation, ast.Call) else []
    bounds = {keyword.arg: ast.unparse(keyword.value) for keyword in keywords}
    return f", {bounds['ge']} to {bounds['le']}" if "ge" in bounds else ""
