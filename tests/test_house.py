"""The house rules, checked: floors, rooms, sizes, names."""

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = [
    {"model", "errors"},
    {"files"},
    {
        "inventory",
        "secrets",
        "on_host",
        "render",
        "links",
        "core",
        "lint",
        "tunnel",
        "xray_api",
        "ledger",
        "starter",
    },
    {
        "selection",
        "traffic",
        "reading",
        "trust",
        "collecting",
        "comparing",
        "planning",
        "changes",
        "validation",
    },
    {"recovery"},
    {"cli", "rollout"},
]
"""From the ground up; a room imports its own floor and those below."""
ROOMS = {
    "grpc": {"xray_api"},
    "google": {"xray_api"},
    "asyncssh": {"tunnel"},
    "pyinfra": {"rollout"},
    "click": {"cli"},
    "rich": {"cli"},
    "jinja2": {"render"},
    "segno": {"links"},
    "pyrage": {"secrets"},
    "cryptography": {"secrets"},
    "pydantic": {"inventory"},
    "sqlalchemy": {"ledger"},
    "alembic": {"ledger"},
    "psycopg": {"ledger"},
}
"""Which rooms of ops may import an outside library; deploy.py is pyinfra's, too."""
STRANGERS = {"tunnel": {"xray_api"}, "xray_api": {"tunnel"}}
"""Rooms of one floor that must not know each other."""
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base"}


def sources(*folders: str) -> list[Path]:
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return [file for file in files if "_pb2" not in file.name]


@cache
def imported(file: Path) -> frozenset[str]:
    return frozenset(_imported(file))


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(file: Path) -> str:
    return file.relative_to(ROOT / "ops").parts[0].removesuffix(".py")


def floor(name: str) -> int:
    return next(level for level, rooms in enumerate(FLOORS) if name in rooms)


OPS = [file for file in sources("ops") if room(file) not in ("__init__", "__main__")]


@pytest.mark.parametrize("file", OPS, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_only_go_down(file: Path) -> None:
    here = room(file)
    for module in imported(file):
        if module.startswith("ops."):
            there = module.split(".")[1]
            assert floor(there) <= floor(here), f"{here} imports {there}, which is above it"
            assert there not in STRANGERS.get(here, set()), f"{here} knows {there}"


@pytest.mark.parametrize("library", ROOMS)
def test_each_outside_library_has_one_room(library: str) -> None:
    at_home = {"deploy.py", "config.py"} if library == "pyinfra" else set()
    for file in sources("ops"):
        if any(module.split(".")[0] == library for module in imported(file)):
            assert room(file) in ROOMS[library] or file.name in at_home, f"{file}: {library}"


def test_what_deploy_imports_never_imports_grpc() -> None:
    script = (
        "import sys, runpy, ops.rollout; "
        "sys.exit(any(name.split('.')[0] in ('grpc', 'asyncssh') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_ops_does_not_import_pyinfra() -> None:
    script = "import sys, ops.cli.traffic, ops.reading; sys.exit('pyinfra' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_modules_are_small() -> None:
    sizes = {file: len(file.read_text().splitlines()) for file in sources("ops", "lab", "bench")}
    assert statistics.median(sizes.values()) <= 100
    assert [str(file) for file, size in sizes.items() if size > 300] == []


def test_functions_are_small() -> None:
    sizes = {
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}": (node.end_lineno or 0)
        - node.lineno
        + 1
        for file in sources("ops", "lab", "bench")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert statistics.median(sizes.values()) <= 10
    assert [name for name, size in sizes.items() if size > 40] == []


def test_no_module_is_named_after_nothing() -> None:
    assert [file for file in sources("ops", "lab", "bench") if file.stem in FORBIDDEN_NAMES] == []
