"""docs/inventory.md describes every field, and its examples are accepted."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from pydantic import BaseModel

from docs.inventory_page import Field, Table, tables_by_file
from ops.errors import FleetError
from ops.fleet.inventory import load
from ops.fleet.inventory.shape import HostsFile, IssuedFile, KeysFile, SecretsFile
from ops.fleet.inventory.shape import table as shapes
from ops.fleet.secrets.parse import parse
from ops.fleet.secrets.reality import public_key
from tests.fleets import HOSTS, KEYS, write

MORE = """
[groups.other]
[hosts.plain]
inbounds = []
[hosts.plain.maintenance]
why = "new disk"
until = 2026-12-31
[hosts.ams1.overrides.reality]
[hosts.ams1.overrides.ws]
[hosts.ams1.billing]
[outbounds.warp]
protocol = "socks"
[ledger.keep]
[[rules]]
outbound = "warp"
port = "25"
"""
SECRETS = """
[keys.alice]
[hosts.fra1.reality]
[hosts.ams1.ss]
"""
ISSUED = """
[hosts.fra1.reality]
made = []
"""
FILES = {
    "hosts.toml": HostsFile,
    "keys.toml": KeysFile,
    "secrets.toml": SecretsFile,
    "issued.toml": IssuedFile,
}
PAGE = {file.heading.strip("`"): (file, tables) for file, tables in tables_by_file()}
EXAMPLES = [
    pytest.param(name, table, field, id=f"{name} {table.heading} {field.name}")
    for name, (file, tables) in PAGE.items()
    for table in (file, *tables)
    for field in table.fields
]


def test_the_page_has_every_file() -> None:
    assert PAGE.keys() == FILES.keys()


def test_the_page_has_every_field_of_every_table() -> None:
    described = {
        table.shape: {field.name for field in table.fields}
        for file, tables in PAGE.values()
        for table in (file, *tables)
    }
    for shape in subclasses(shapes.Table):
        inherited = (described[base.__name__] for base in shape.mro() if base.__name__ in described)
        assert set(shape.model_fields) == set().union(*inherited), shape


def subclasses(shape: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for inner in shape.__subclasses__():
        yield inner
        yield from subclasses(inner)


def test_every_table_and_field_is_explained() -> None:
    for file, tables in PAGE.values():
        for table in (file, *tables):
            assert table.text.endswith("."), table.heading
            for field in table.fields:
                assert field.meaning.endswith("."), field
                assert field.type, field


@pytest.mark.parametrize(("file", "table", "field"), EXAMPLES)
def test_every_example_is_accepted(file: str, table: Table, field: Field, tmp_path: Path) -> None:
    example = tomllib.loads(field.example)
    assert list(example) == [field.name]
    problems = [
        problem
        for number, files in enumerate(with_example(file, table, example))
        if (problem := refused(files, tmp_path / str(number))) is None or problem
    ]
    assert None in problems, problems


def with_example(file: str, table: Table, example: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the files of a fleet with *example* in each table that has a place of *table*."""
    places = [place.strip("[]").replace(".", r"\.") for place in table.places or [""]]
    pattern = "|".join(re.sub("[A-Z]+", "[^.]+", place) for place in places)
    for number, (name, _) in enumerate(tables_of(fleet_files()[file])):
        if re.fullmatch(pattern, name):
            files = fleet_files()
            merge(list(tables_of(files[file]))[number][1], example)
            yield files


def tables_of(table: dict[str, Any], name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield *table* and all tables in it, each with its name in TOML."""
    yield name, table
    for field, value in table.items():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from tables_of(inner, f"{name}.{field}".removeprefix("."))


def merge(table: dict[str, Any], example: Mapping[str, Any]) -> None:
    """Write *example* into *table*; tables in it are merged, other values are replaced."""
    for field, value in example.items():
        if isinstance(value, dict) and isinstance(table.get(field), dict):
            merge(table[field], value)
        else:
            table[field] = value


def fleet_files() -> dict[str, Any]:
    texts = {"hosts.toml": HOSTS + MORE, "keys.toml": KEYS}
    texts |= {"secrets.toml": SECRETS, "issued.toml": ISSUED}
    return {name: tomllib.loads(text) for name, text in texts.items()}


def refused(files: dict[str, Any], folder: Path) -> str | None:
    """Return the reader's problems with *files*; None if it accepts them."""
    write(folder, tomlkit.dumps(files["hosts.toml"]), tomlkit.dumps(files["keys.toml"]))
    (folder / "inventory" / "issued.toml").write_text(tomlkit.dumps(files["issued.toml"]))
    try:
        parse(load(folder), "secrets.toml", tomlkit.dumps(files["secrets.toml"]))
    except FleetError as error:
        return str(error)
    return None


def test_the_example_of_a_public_key_is_one() -> None:
    fields = {
        field.name: field for _, tables in PAGE.values() for t in tables for field in t.fields
    }
    private, public = (
        tomllib.loads(fields[name].example)[name] for name in ("private_key", "public_key")
    )
    assert public_key(private) == public
