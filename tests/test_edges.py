"""Where `ops` meets the system at its edges: no home, no folder, no room, names of any bytes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops.cli import cli
from ops.errors import OpsError
from ops.fleet.inventory import load
from ops.fleet.secrets import store
from ops.fleet.secrets.fill import fill
from ops.ledger import open_ledger
from ops.servers.planning.checkout import checkout
from ops.servers.rollout.fleet import loaded_fleet
from tests import fleets

ROOT = Path(__file__).parent.parent
OPS = [sys.executable, "-m", "ops"]


def ops_(
    *words: str | bytes | Path, cwd: Path, **settings: str
) -> "subprocess.CompletedProcess[bytes]":
    found = {**os.environ, "PYTHONPATH": str(ROOT), **settings}
    return subprocess.run(
        [*OPS, *words], cwd=cwd, env=found, capture_output=True, check=False, timeout=30
    )


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    return fleets.write(tmp_path / "fleet")


@pytest.mark.parametrize("kind", ["a loop", "a pipe", "a file", "a device", "missing"])
def test_a_fleet_that_is_no_folder_is_a_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "place"
    match kind:
        case "a loop":
            path.symlink_to("place")
        case "a pipe":
            os.mkfifo(path)
        case "a file":
            path.touch()
        case "a device":
            path.symlink_to("/dev/null")
    done = ops_("keys", "list", cwd=tmp_path, OPS_FLEET=str(path))
    assert done.returncode == 1
    assert b"hosts.toml: " in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_folder_that_was_deleted_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    script = 'cd gone && rmdir ../gone && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *OPS, "keys", "list"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"the folder you are in was deleted: `cd` to another one" in done.stderr


def test_an_output_that_is_full_is_a_sentence(fleet: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*OPS, "keys", "list", "--fleet", fleet],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert b"the output cannot be written: the disk is full" in done.stderr


ANY_BYTES = [
    ("init",),
    ("validate",),
    ("ledger", "import"),
    ("ledger", "backup"),
    ("ledger", "export", "--output"),
    ("link", "alice", "--client-json", "--host", "ams1", "--address", "ams1.example.net", "--out"),
]


@pytest.mark.parametrize("words", ANY_BYTES)
def test_a_name_that_is_no_utf_8_is_no_traceback(fleet: Path, words: tuple[str, ...]) -> None:
    done = ops_(*words, b"\xff", cwd=fleet, LC_ALL="C.UTF-8")
    assert done.returncode in (0, 1, 2)
    assert b"Traceback" not in done.stderr


def test_an_output_that_lacks_characters_gets_them_written_out(fleet: Path) -> None:
    keys = fleet / "inventory" / "keys.toml"
    keys.write_text(keys.read_text() + '\n[keys.zoe]\nnote = "Zoë, Жанна"\n')
    done = ops_("keys", "list", cwd=fleet, PYTHONIOENCODING="latin-1")
    assert done.returncode == 0
    assert "Zoë, \\u0416".encode("latin-1") in done.stdout


@pytest.mark.parametrize("words", ["keys list", "usage", "traffic --timeout 1"])
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_no_bug(fleet: Path, words: str, closed: str) -> None:
    script = f"{sys.executable} -m ops {words} {closed}"
    settings = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["sh", "-c", script], cwd=fleet, env=settings, check=False, timeout=30)
    assert done.returncode in (0, 1, 4)


def test_an_error_about_a_file_does_not_steer_the_terminal(fleet: Path) -> None:
    name = "\u202ea\x1b[2J"
    (fleet / name).mkdir()
    for words in (("ledger", "backup"), ("ledger", "import"), ("core", "fetch", "--archive")):
        done = ops_(*words, name, cwd=fleet)
        assert done.returncode in (1, 2)
        assert b"\x1b" not in done.stderr
        assert "\u202e".encode() not in done.stderr


SPANS = ["9" * 400 + "h", "9" * 5000, "30000d", "0.0s", "0.0000001s"]
SECONDS = ["nan", "inf", "1e400", "-1", "0", "1e10"]
NUMBERS = [
    *(("traffic", "--watch", seconds) for seconds in SECONDS),
    *(("traffic", "--timeout", seconds) for seconds in SECONDS),
    *(("diff", "--servers", "--timeout", seconds) for seconds in SECONDS),
    *(
        ("collect", f"--every={span}")
        for span in ["9" * 400 + "h", "9" * 5000, "30000d", "0.0s", "0.0000001s"]
    ),
]


@pytest.mark.parametrize("words", NUMBERS)
def test_a_time_that_no_clock_can_wait_for_is_refused(
    fleet: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fleet)
    assert CliRunner().invoke(cli, words).exit_code == 2


ENDS = [
    *(f"{number}{unit}" for number in ("99999999999", "9" * 5000) for unit in "smhd"),
    "0001-01-01",
    "9999-12-31",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
]


@pytest.mark.parametrize(
    "words",
    [
        *(("usage", option, moment) for option in ("--since", "--until") for moment in ENDS),
        *(("usage", "--month", month) for month in ("0000-01", "0001-01", "9999-12")),
        *(("usage", "--by", "host", "--nic", "--month", month) for month in ("0000-01", "9999-12")),
        *(("status", "--max-age", moment) for moment in ENDS),
    ],
)
def test_a_moment_where_calendars_end_is_refused(
    fleet: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fleet)
    open_ledger(load(fleet)).close()
    done = CliRunner().invoke(cli, words)
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 2


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="this needs root")
@pytest.mark.parametrize("words", [("secrets", "identity"), ("validate",), ("traffic",)])
def test_a_user_without_a_home_or_a_name_is_told(fleet: Path, words: tuple[str, ...]) -> None:
    reads = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    settings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["setpriv", "--reuid=54321", "--clear-groups", *reads, *OPS, *words],
        cwd=fleet,
        env=settings,
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1)
    assert b"Traceback" not in done.stderr


def test_a_user_without_a_name_rolls_out_by_number(
    fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> str:  # a stand-in: this user has a name
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert checkout(fleet).who.startswith(f"{os.getuid()}@")


@pytest.mark.parametrize("name", ["secrets.toml", "hosts.toml"])
def test_a_rollout_tells_of_a_spoilt_file_in_a_sentence(fleet: Path, name: str) -> None:
    fill(load(fleet))
    file = fleet / "inventory" / name
    file.unlink()
    file.mkdir()
    with pytest.raises(OpsError, match=f"{name}: is a folder, where a file belongs"):
        loaded_fleet(fleet)


def test_secrets_behind_a_link_are_written_behind_it(fleet: Path, tmp_path: Path) -> None:
    read = load(fleet)
    fill(read)
    shutil.move(store.plain(read), tmp_path / "vault.toml")
    store.plain(read).symlink_to(tmp_path / "vault.toml")
    fill(read, replace=["bob"])
    assert store.plain(read).is_symlink()
    assert store.read(read) == (tmp_path / "vault.toml").read_text()


@pytest.mark.parametrize("entry", [{"tag": "a"}, {"port": 1, "listen": "127.0.0.1"}])
def test_a_stranger_with_many_inbounds_is_judged_in_time(
    tmp_path: Path, entry: dict[str, object]
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"inbounds": [entry] * 20_000}))
    result = CliRunner().invoke(cli, ["validate", "--no-core", str(file)], catch_exceptions=False)
    assert result.exit_code in (0, 1)


def test_a_pipe_among_the_templates_holds_no_diff_up(fleet: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init"], ["add", "-A"], ["commit", "-m", "x"]):
        subprocess.run([*git, *words], cwd=fleet, check=True, capture_output=True)
    (fleet / "templates").mkdir()
    os.mkfifo(fleet / "templates" / "xray.json.j2")
    done = ops_("diff", cwd=fleet)
    assert done.returncode == 1
    assert b"templates/xray.json.j2: is a named pipe" in done.stderr
