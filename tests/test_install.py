"""The wheel: it installs as people install things, and brings all that a fleet needs."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
pytestmark = pytest.mark.slow


def run(*words: str | Path, cwd: Path, more: Mapping[str, str] | None = None) -> str:
    """Run a command outside this test's environment; return what it printed."""
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        words, cwd=cwd, env=bare | dict(more or {}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


def make_environment(folder: Path) -> Path:
    """Make a bare virtual environment in *folder*; return its pip."""
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    return folder / "bin" / "pip"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", folder)
    run(BIN / "pip", "wheel", *options, ROOT, cwd=folder)
    [made] = folder.glob("xray_ops-*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bin folder of an environment that has the wheel and nothing else of ours."""
    folder = tmp_path_factory.mktemp("bare")
    run(make_environment(folder / "env"), "install", "--quiet", wheel, cwd=folder)
    return folder / "env" / "bin"


def check_fleet(bin_folder: Path, folder: Path, wheel: Path) -> Path:
    """Make and validate a fleet with the ops in *bin_folder*; return the fleet's folder."""
    run(bin_folder / "ops", "init", "fleet", "--source", wheel, cwd=folder)
    fleet = folder / "fleet"
    assert "0 errors" in run(bin_folder / "ops", "validate", "--no-core", cwd=fleet)
    return fleet


def test_the_version_names_the_commit_that_the_wheel_was_built_from(
    installed: Path, tmp_path: Path
) -> None:
    commit = run("git", "rev-parse", "HEAD", cwd=ROOT).strip()
    version = run(installed / "ops", "--version", cwd=tmp_path)
    assert version.endswith(f"(commit {commit[:12]})\n")


def test_pip_installs_ops_pyinfra_and_a_fleet(installed: Path, wheel: Path, tmp_path: Path) -> None:
    fleet = check_fleet(installed, tmp_path, wheel)
    assert "pyinfra" in run(installed / "pyinfra", "--version", cwd=fleet)


def test_a_fleets_requirements_install_the_same_wheel_with_every_hash(
    installed: Path, wheel: Path, tmp_path: Path
) -> None:
    fleet = check_fleet(installed, tmp_path, wheel)
    pip = make_environment(tmp_path / "ci")
    options = ("--quiet", "--require-hashes", "-r", "requirements.txt")
    run(pip, "install", *options, cwd=fleet)
    versions = {run(folder / "ops", "--version", cwd=fleet) for folder in (pip.parent, installed)}
    assert len(versions) == 1


@pytest.mark.parametrize("tool", ["uv", "pipx"])
def test_uv_and_pipx_install_both_commands(tool: str, wheel: Path, tmp_path: Path) -> None:
    words = {
        "uv": (BIN / "uv", "tool", "install", "--with-executables-from", "pyinfra", wheel),
        "pipx": (BIN / "pipx", "install", "--include-deps", "--python", sys.executable, wheel),
    }
    more = {
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
        "UV_PYTHON": sys.executable,
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIPX_DEFAULT_BACKEND": "pip",
    }
    run(*words[tool], cwd=tmp_path, more=more)
    check_fleet(tmp_path / "bin", tmp_path, wheel)
    assert "pyinfra" in run(tmp_path / "bin" / "pyinfra", "--version", cwd=tmp_path)
