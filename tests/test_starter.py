"""A new fleet's CI: the very steps of its files, run in a fresh clone of it."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner

from lab.core import ensure_core
from ops.cli import cli
from ops.fleet import starter
from ops.fleet.starter.installed import Installed

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parent.parent
PLACES = {name: place for name, (place, _) in starter.CI.items()}


def steps(text: str) -> list[str]:
    """Return the shell steps of a CI file of ours, as they stand there."""
    text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    blocks = [dedent(block) for block in re.findall(r" run: \|\n((?: {10}.*\n)+)", text)]
    lines = re.findall(r" run: (?!\|)(.+)", text)
    script = re.search(r"\n  script:\n((?:    - .+\n)+)", text)
    listed = [line[6:].split(" # ")[0] for line in script[1].splitlines()] if script else []
    return [*lines, *blocks, *listed]


@pytest.fixture
def fleet(core: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a new fleet with both CI files, its core pinned, committed twice, and cloned."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "fleet"
    for ci in PLACES:
        assert CliRunner().invoke(cli, ["init", str(folder), "--ci", ci]).exit_code == 0
    archive = ["--archive", str(ensure_core().archive), "--fleet", str(folder)]
    assert CliRunner().invoke(cli, ["core", "pin", *archive]).exit_code == 0
    git(folder, "init", "-q", "-b", "main")
    commit(folder)
    with (folder / "inventory" / "keys.toml").open("a") as keys:
        keys.write("[keys.carol]\n")
    commit(folder)
    git(tmp_path, "clone", "-q", str(folder), "clone")
    return tmp_path / "clone"


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    command = ["git", "-C", str(folder), *who, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "The fleet")


def run(step: str, clone: Path) -> "subprocess.CompletedProcess[str]":
    """Run *step* as a CI system would, in *clone*."""
    before = git(clone, "rev-parse", "HEAD~1")
    settings = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"],
        "HOME": str(clone.parent),
        "BASE": before,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": before,
        "GITHUB_STEP_SUMMARY": str(clone.parent / "summary.md"),
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step]
    return subprocess.run(
        command, cwd=clone, env=settings, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("ci", "count"), [("github", 4), ("gitlab", 5)])
def test_each_step_runs_in_a_fresh_clone(ci: str, count: int, fleet: Path) -> None:
    written = steps((fleet / PLACES[ci]).read_text())
    assert len(written) == count
    for step in written:
        if "pip install" not in step:
            done = run(step, fleet)
            assert done.returncode == 0, f"{step}\n{done.stdout}{done.stderr}"
    assert "+ key carol on reality" in done.stdout


@pytest.mark.parametrize("ci", PLACES)
def test_a_fleet_that_is_wrong_fails(ci: str, fleet: Path) -> None:
    hosts = fleet / "inventory" / "hosts.toml"
    hosts.write_text(hosts.read_text().replace('target = "www', 'traget = "www', 1))
    written = steps((fleet / PLACES[ci]).read_text())
    codes = [run(step, fleet).returncode for step in written if "ops validate" in step]
    assert codes[-1] == 1


@pytest.mark.parametrize("ci", PLACES)
def test_a_job_that_judges_has_no_secret(ci: str, fleet: Path) -> None:
    text = (fleet / PLACES[ci]).read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert not [line for line in lines if "secrets." in line or "SSH_KEY" in line]


def test_what_is_pinned_is_pinned(fleet: Path) -> None:
    text = (fleet / PLACES["github"]).read_text()
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action) for action in used)


LOCKED = ("sqlalchemy==", "pyinfra==")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (f"git+https://example.com/x.git@{COMMIT}", f"@ git+https://example.com/x.git@{COMMIT}\n"),
        ("https://index.example.com/pypi", "--index-url https://index.example.com/pypi\n"),
    ],
)
def test_requirements_name_the_source_and_pin_all_else(
    source: str, line: str, tmp_path: Path
) -> None:
    said = CliRunner().invoke(cli, ["init", str(tmp_path), "--source", source])
    assert said.exit_code == 0, said.output
    text = (tmp_path / "requirements.txt").read_text()
    assert [part for part in (line, *LOCKED) if part not in text] == []


@pytest.mark.parametrize(
    "source", ["xray-ops", "xray-ops==0.1", "http://x", "./other.whl", "dist", "git@x:y.git"]
)
def test_requirements_never_hold_a_name_that_anybody_could_register(
    source: str, tmp_path: Path
) -> None:
    said = CliRunner().invoke(cli, ["init", str(tmp_path), "--source", source])
    assert said.exit_code == 2
    assert not (tmp_path / "requirements.txt").exists()


def test_without_a_known_source_there_is_no_requirements_file_and_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.cli.init.installed", lambda: Installed(version="0.2.0"))
    said = CliRunner().invoke(cli, ["init", str(tmp_path / "f")])
    assert said.exit_code == 0
    assert not (tmp_path / "f" / "requirements.txt").exists()
    assert f"ops init {tmp_path / 'f'} --source" in said.stderr


def test_a_fleet_that_is_there_only_gets_the_file(fleet: Path) -> None:
    (fleet / PLACES["gitlab"]).unlink()
    said = CliRunner().invoke(cli, ["init", str(fleet), "--ci", "gitlab"])
    assert f"wrote {fleet / PLACES['gitlab']}" in said.stdout
    assert git(fleet, "status", "--porcelain") == ""


def test_the_pre_commit_hook_runs_what_is_installed() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    hook = dict(re.findall(r"^[- ] (\w+): (.+)$", text, re.MULTILINE))
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert hook["entry"].split()[0] in scripts
    changed = {
        "inventory/hosts.toml": True,
        "fleets/eu/inventory/keys.toml": True,
        "templates/inbounds/vless.json.j2": True,
        "README.md": False,
        "inventory/secrets.toml": False,
    }
    for path, judged in changed.items():
        assert bool(re.search(hook["files"], path)) is judged


def test_the_job_runs_for_a_push_to_any_branch() -> None:
    text = (ROOT / "ops" / "fleet" / "starter" / "ci" / "github.yml").read_text()
    assert re.search(r"^on:\n  push:\n  pull_request:\n", text, re.MULTILINE)
    assert "refs/heads/" not in text
