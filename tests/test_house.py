"""The house rules, checked: floors, rooms, sizes, names."""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ops.cli import cli
from tests.prose import Text, clauses, docstrings, help_texts, long_sentences

ROOT = Path(__file__).parent.parent
ORDER = (
    "model",
    "errors",
    "files",
    "fleet",
    "config",
    "counting",
    "ledger",
    "servers",
    "limits",
    "reporting",
    "notify",
    "web",
    "cli",
)
"""The rooms in the order of data: a module imports its own room and those before it."""
NEVER = {
    "counting": {"config"},
    "ledger": {"config", "counting"},
    "servers": {"ledger"},
}
"""Imports that the order would allow: the half that counts knows nothing of configs."""
LIBRARIES = {
    "grpc": "counting/xray_api",
    "google": "counting/xray_api",
    "asyncssh": "counting/tunnel",
    "pyinfra": "servers/rollout",
    "click": "cli",
    "rich": "cli",
    "jinja2": "config/render",
    "segno": "config/links",
    "pyrage": "fleet/secrets",
    "cryptography": "fleet/secrets",
    "pydantic": "fleet/inventory",
    "sqlalchemy": "ledger",
    "alembic": "ledger",
    "psycopg": "ledger",
}
"""The room of each outside library; deploy.py may import pyinfra, too."""
APART = {"tunnel": "xray_api", "xray_api": "tunnel"}
"""Folders of `counting` that must not import each other."""
PITFALLS = {
    1: "spliced downloads count only when they close",
    2: "a restart drops the counters",
    3: "a lost reply to a read that resets",
    4: "read, and then the write fails",
    5: "a total that is added again",
    6: "a restart that is seen only where a value fell",
    7: "first sight: baseline or usage",
    8: "somebody else resets",
    9: "a pattern that hits look-alikes",
    10: "unused, zero and unreachable taken for one",
    11: "a core that counts nothing, and says nothing of it",
    12: "one user, two spellings",
    13: "removed keys go on counting",
    14: "who is online now, taken for all",
    15: "removed keys keep their connections",
    16: "a health check that restarts the core",
    17: "rounding, and small deltas dropped",
    18: "a reset that erases, comes back or misses a host",
    19: "month's edge, time zone, clocks",
    20: "history that leaves with its host or key",
    21: "users', inbounds' and the card's bytes compared as if they were one",
    22: "a database that is held",
    23: "one hung host stops the round",
    24: "old figures shown as new",
    25: "the API's own calls counted as traffic",
    26: "a socket left behind, and two processes on one port",
}
"""How others lose bytes or count them twice."""
CLAUSES = {"docstrings": 0.01, "help": 0.0}
LONG = {"docstrings": 0.002, "help": 0.0}
"""Ceilings for plain language: the share of texts with a what/who/whose clause, and of sentences
over 25 words. They only fall."""
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


OPS = [file for file in sources("ops") if room(file) not in ("__init__", "__main__")]


@pytest.mark.parametrize("file", OPS, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_only_go_down(file: Path) -> None:
    here = room(file)
    rooms = {module.split(".")[1] for module in imported(file) if module.startswith("ops.")}
    assert [name for name in rooms if ORDER.index(name) > ORDER.index(here)] == []
    assert rooms & NEVER.get(here, set()) == set()


@pytest.mark.parametrize("folder", APART)
def test_ssh_and_grpc_know_nothing_of_each_other(folder: str) -> None:
    other = f"ops.counting.{APART[folder]}"
    for file in sources(f"ops/counting/{folder}"):
        assert [module for module in imported(file) if module.startswith(other)] == [], file


@pytest.mark.parametrize("library", LIBRARIES)
def test_each_outside_library_has_one_room(library: str) -> None:
    at_home = {"deploy.py", "config.py"} if library == "pyinfra" else set()
    for file in sources("ops"):
        if any(module.split(".")[0] == library for module in imported(file)):
            at = file.relative_to(ROOT / "ops").as_posix()
            assert at.startswith(f"{LIBRARIES[library]}/") or file.name in at_home, at


def test_what_deploy_imports_never_imports_grpc() -> None:
    script = (
        "import sys, runpy, ops.servers.rollout; "
        "sys.exit(any(name.split('.')[0] in ('grpc', 'asyncssh') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_what_deploy_imports_leaves_the_process_unpatched() -> None:
    """``pyinfra_cli`` lets gevent patch it; gRPC then hangs, in whatever tests come next."""
    modules = [
        f"ops.servers.rollout.{file.stem}"
        for file in (ROOT / "ops/servers/rollout").glob("[!_]*.py")
    ]
    script = f"import sys, {', '.join(modules)}; sys.exit('pyinfra_cli' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_ops_does_not_import_pyinfra() -> None:
    script = "import sys, ops.cli.traffic, ops.counting.reading; sys.exit('pyinfra' in sys.modules)"
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


@pytest.mark.parametrize("number", PITFALLS, ids=[f"{n}: {what}" for n, what in PITFALLS.items()])
def test_each_pitfall_of_accounting_has_a_test_that_names_it(number: int) -> None:
    assert number in named_pitfalls()


@cache
def named_pitfalls() -> frozenset[int]:
    """Return the pitfalls that tests are called after: ``test_pitfalls_13_and_15_...``."""
    found: set[int] = set()
    for file in sources("tests"):
        for named in re.findall(r"^ *def test_pitfalls?((?:_and|_\d+)+)_", file.read_text(), re.M):
            found |= {int(number) for number in re.findall(r"\d+", named)}
    return frozenset(found)


def test_no_module_is_named_after_nothing() -> None:
    assert [file for file in sources("ops", "lab", "bench") if file.stem in FORBIDDEN_NAMES] == []


@cache
def texts_of(kind: str) -> tuple[Text, ...]:
    if kind == "help":
        return tuple(help_texts(cli))
    files = [*sources("ops", "lab", "inventory"), ROOT / "deploy.py", ROOT / "config.py"]
    return tuple(text for file in files for text in docstrings(file))


@pytest.mark.parametrize("kind", CLAUSES)
def test_nouns_stand_in_place_of_clauses_with_what_and_who(kind: str) -> None:
    texts = texts_of(kind)
    found = clauses(texts)
    assert len(found) / len(texts) <= CLAUSES[kind], "\n".join(map(str, found))


@pytest.mark.parametrize("kind", LONG)
def test_sentences_are_short(kind: str) -> None:
    texts = texts_of(kind)
    found = long_sentences(texts)
    share = len(found) / sum(len(text.sentences) for text in texts)
    assert share <= LONG[kind], "\n".join(map(str, found))
