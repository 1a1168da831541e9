"""docs/inventory.md: every field of the inventory's files, from the docstrings of the shapes."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from docs.inventory_types import docstrings, kinds, type_of

_SHAPE = Path(__file__).parent.parent / "ops" / "fleet" / "inventory" / "shape"
_FILES = {
    "HostsFile": ("core", "hosts", "inbounds", "ledger", "routing"),
    "KeysFile": ("keys",),
    "SecretsFile": ("secrets",),
    "IssuedFile": ("secrets",),
}
"""The shape of each file, and the modules with the shapes of its tables."""
_HEAD = """\
# The files of the inventory

Made from the code by `make docs`. The folder `inventory/` of a fleet holds these files, in
[TOML](https://toml.io). `ops init` writes `hosts.toml` and `keys.toml` with examples. Unknown
fields and wrong values are errors: every command names the file and the line.

NAME, HOST and INBOUND in headings are placeholders. In place of a table, an inline table can be
written, as in some of the examples. A default of `-` is explained in the meaning.
"""


@dataclass(frozen=True)
class Field:
    """One field of a table; *default* is empty if the field is required."""

    name: str
    type: str
    default: str
    meaning: str
    example: str
    since: str


@dataclass(frozen=True)
class Table:
    """One table of a file. The *heading* is the beginning of the docstring of its shape."""

    shape: str
    heading: str
    text: str
    fields: tuple[Field, ...]

    @property
    def places(self) -> list[str]:
        """Return the headings in TOML, for example ``[hosts.NAME]``."""
        return re.findall(r"`(\[[^`]*\])`", self.heading)

    @property
    def depth(self) -> int:
        """Return the number of names in the first place, without placeholders."""
        return len(re.findall(r"\b[a-z]+\b", self.places[0]))


def inventory_page() -> str:
    """Return the text of docs/inventory.md."""
    parts = [_HEAD]
    for file, tables in tables_by_file():
        parts += [_section("##", file), *(_section("###", table) for table in tables)]
    rows = "".join(f"| {name} | {form} |\n" for name, form in sorted(kinds().values()))
    parts.append(f"## Kinds of values\n\n| kind | form |\n|---|---|\n{rows}")
    return "\n".join(parts)


def tables_by_file() -> Iterator[tuple[Table, list[Table]]]:
    """Yield the description of each file with its tables, in the order of the page."""
    files = {table.shape: table for table in _tables("files")}
    for shape, modules in _FILES.items():
        name = files[shape].heading.strip("`")
        tables = [
            table
            for module in modules
            for table in sorted(_tables(module), key=lambda table: table.depth)
            if " in " not in table.heading or table.heading.endswith(f" in {name}")
        ]
        yield files[shape], tables


def _section(level: str, table: Table) -> str:
    head = "| field | type | default | since | meaning |\n|---|---|---|---|---|\n"
    return f"{level} {table.heading}\n\n{table.text}\n\n{head}{''.join(map(_row, table.fields))}"


def _row(field: Field) -> str:
    meaning = f"{field.meaning} Example: `{field.example}`"
    cells = (f"`{field.name}`", field.type, field.default or "required", field.since, meaning)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


@cache
def _tables(module: str) -> list[Table]:
    tree = ast.parse((_SHAPE / f"{module}.py").read_text())
    return [_table(node) for node in tree.body if isinstance(node, ast.ClassDef)]


def _table(node: ast.ClassDef) -> Table:
    heading, _, text = (ast.get_docstring(node) or "").replace("``", "`").partition(": ")
    fields = tuple(
        _field(field, docstring)
        for field, docstring in docstrings(node.body)
        if isinstance(field, ast.AnnAssign)
    )
    return Table(node.name, " ".join(heading.split()), text[:1].upper() + text[1:], fields)


def _field(node: ast.AnnAssign, docstring: str) -> Field:
    meaning, _, example = docstring.replace("``", "`").partition("Example:")
    meaning, _, since = meaning.partition("Since:")
    return Field(
        name=ast.unparse(node.target),
        type=type_of(node.annotation),
        default=_default(node.value),
        meaning=" ".join(meaning.split()),
        example=" ".join(example.split()),
        since=since.strip() or "0.1",
    )


def _default(value: ast.expr | None) -> str:
    if value is None:
        return ""
    if isinstance(value, ast.Call):  # a table in which every field has its default
        return "`{}`"
    default = ast.literal_eval(value)
    return "-" if default is None else f"`{_toml(default)}`"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("'", '"') if isinstance(value, list) else _scalar(value)


def _scalar(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
