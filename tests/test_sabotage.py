"""Every file that `ops` opens, spoilt in every way, as a user whom permissions bind.

No traceback, a documented exit code, the name of what is spoilt, and an end.
"""

import os
import shutil
import socket
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from ops.fleet import starter
from ops.fleet.inventory import load
from ops.fleet.secrets import age, store
from ops.fleet.secrets.fill import fill
from ops.ledger import open_ledger
from tests import fleets
from tests.unprivileged import GROUPS, Ran, Runner, binding, runner

pytestmark = pytest.mark.skipif(binding() is None, reason="root, and no setpriv to bind it")

LONGEST = 10
"""Seconds; what waits for a pipe waits for ever."""
CONFLICT = b"<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> theirs\n"
CERTIFICATE = """{"inbounds": [{"port": 1, "protocol": "vless", "settings": {"clients": [],
"decryption": "none"}, "streamSettings": {"security": "tls", "tlsSettings": {"certificates":
[{"certificateFile": "FOLDER/c.crt", "keyFile": "FOLDER/c.crt"}]}}}]}"""


@pytest.fixture(scope="module")
def bound() -> Iterator[Runner]:
    with runner() as found:
        yield found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that `ops` opens: a fleet, a home, a cache, files that are named to it."""
    folder = tmp_path_factory.mktemp("whole")
    fleet = fleets.write(folder / "fleet", more='[groups.named]\nssh_key = "keys/id"\n')
    starter.write(fleet)
    read = load(fleet)
    fill(read)
    (fleet / "inventory" / "known_hosts").write_text("# nothing\n")
    ours = Path(__file__).parent.parent / "templates"
    shutil.copytree(ours, fleet / "templates")
    (fleet / "keys").mkdir()
    key = str(fleet / "keys" / "id")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    open_ledger(read).close()
    for place in ("home/.ssh", "cache/xray-ops/core", "run", "id"):
        (folder / place).mkdir(parents=True, mode=0o700)
    (folder / "home/.ssh/config").write_text("Host other\n  Port 22\n")
    (folder / "config.json").write_text(CERTIFICATE)
    (folder / "c.crt").write_text("no certificate")
    (folder / "export.jsonl").write_text("{}\n")
    with zipfile.ZipFile(folder / "core.zip", "w") as release:
        release.writestr("xray", "#!/bin/sh\necho Xray 26.10.10\n")
    return folder


@pytest.fixture
def place(whole: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A copy of it all."""
    folder = tmp_path / "all"
    subprocess.run(["cp", "-a", whole, folder], check=True)
    config = folder / "config.json"
    config.write_text(config.read_text().replace("FOLDER", str(folder)))
    yield folder
    subprocess.run(["chmod", "-R", "u+rwX", folder], check=True)


def settings(folder: Path) -> dict[str, str]:
    return {
        "HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_RUNTIME_DIR": str(folder / "run"),
        "OPS_AGE_IDENTITY": str(folder / "id" / "identity.txt"),
    }


def clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def instead(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        clear(path)
        make(path)

    return spoil


def holding(content: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content)
        path.chmod(0o600)

    return instead(write)


def with_more(before: bytes = b"", after: bytes = b"") -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        holding(before + (path.read_bytes() if path.is_file() else b"") + after)(path)

    return spoil


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3 << 30)
    path.chmod(0o600)


def closed(path: Path) -> None:
    if path.exists():
        path.chmod(0)


IN_PLACE_OF_A_FILE: dict[str, Callable[[Path], object]] = {
    "missing": clear,
    "unreadable": closed,
    "a folder": instead(lambda path: path.mkdir()),
    "a pipe": instead(lambda path: os.mkfifo(path, 0o600)),
    "a device": instead(lambda path: path.symlink_to("/dev/zero")),
    "a socket": instead(bind),
    "a loop": instead(lambda path: path.symlink_to(path.name)),
    "a dangling link": instead(lambda path: path.symlink_to("nowhere/at/all")),
    "in a folder that is closed to writing": lambda path: path.parent.chmod(0o555),
    "no UTF-8": with_more(after=b"\n\xff\xfe\n"),
    "with a BOM": with_more(before=b"\xef\xbb\xbf"),
    "with conflict markers": with_more(after=CONFLICT),
    "with NUL bytes": with_more(after=b"\0\n"),
    "empty": holding(b""),
    "garbage": holding(b"\x89garbage{{\n"),
    "huge": instead(sparse),
    "nested": holding(b"x=" + b"[" * 200_000),
}
IN_PLACE_OF_A_FOLDER: dict[str, Callable[[Path], object]] = {
    "missing": clear,
    "unreadable": closed,
    "closed to writing": lambda path: path.chmod(0o555),
    "closed to searching": lambda path: path.chmod(0o600),
    "a file": holding(b"x"),
    "a pipe": instead(os.mkfifo),
    "a loop": instead(lambda path: path.symlink_to(path.name)),
    "a dangling link": instead(lambda path: path.symlink_to("nowhere/at/all")),
}
READING = (
    "validate --no-core",
    GROUPS,
    "keys list",
    "usage",
    "link alice",
    "render fra1",
    "init .",
)
WRITING = ("secrets fill --replace alice", "core pin 26.10.10 --archive ../core.zip")
DIALLING = ("traffic --timeout 1", "hosts trust fra1 --timeout 1", "collect --timeout 1")
LEDGER = (
    "usage",
    "status",
    "reset alice",
    "ledger status",
    "ledger verify",
    "ledger export --output ../out",
    "ledger backup ../out.db",
    "collect --timeout 1",
)
FILES = {
    "fleet/inventory/hosts.toml": (*READING, *WRITING),
    "fleet/inventory/keys.toml": (*READING, *WRITING),
    "fleet/inventory/issued.toml": (*READING, *WRITING),
    "fleet/inventory/known_hosts": (*DIALLING, GROUPS),
    "fleet/inventory/secrets.toml": (
        "link alice",
        "secrets fill",
        "validate --no-core",
        "diff --servers",
    ),
    "fleet/templates/xray.json.j2": ("render fra1", "validate --no-core"),
    "fleet/templates/inbounds/vless-raw-reality.json.j2": ("render fra1", "validate --no-core"),
    "fleet/state/ledger.db": LEDGER,
    "fleet/state/ledger.db.collector": ("collect --timeout 1",),
    "fleet/keys/id": DIALLING,
    "home/.ssh/config": DIALLING,
    "config.json": ("validate ../config.json --no-core",),
    "c.crt": ("validate ../config.json --no-core",),
    "core.zip": ("core pin 26.10.10 --archive ../core.zip", "core fetch --archive ../core.zip"),
    "export.jsonl": ("ledger import ../export.jsonl",),
    "out": ("ledger export --output ../out",),
    "out.db": ("ledger backup ../out.db",),
    "out.png": ("link alice --host fra1 --address fra1.example.net --png ../out.png",),
}
FOLDERS = {
    "fleet/inventory": (*READING, *WRITING),
    "fleet/templates": ("render fra1", "validate --no-core"),
    "fleet/templates/inbounds": ("render fra1", "validate --no-core"),
    "fleet/state": LEDGER,
    "fleet": (*READING, *WRITING),
    "cache": ("validate", GROUPS, *WRITING),
    "cache/xray-ops": ("validate", *WRITING),
    "cache/xray-ops/core": ("validate", *WRITING),
    "run": DIALLING,
    "home/.ssh": DIALLING,
    "home": ("validate", *DIALLING),
}
ENCRYPTED = {
    "fleet/inventory/secrets.toml.age": ("link alice", "secrets fill", "secrets encrypt"),
    "fleet/inventory/recipients.txt": ("secrets recipients", "secrets fill --replace alice"),
    "id/identity.txt": ("link alice", "secrets identity", "secrets fill"),
    "id": ("link alice", "secrets identity"),
}


def cases(
    places: dict[str, tuple[str, ...]], ways: dict[str, Callable[[Path], object]]
) -> list[tuple[str, str]]:
    return [(place, way) for place in places for way in ways]


@pytest.fixture(scope="module")
def sound(bound: Runner, whole: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """The exit code of each command where nothing is spoilt."""
    found = {}
    for words in {word for verbs in (FILES | FOLDERS | ENCRYPTED).values() for word in verbs}:
        folder = tmp_path_factory.mktemp("sound") / "all"
        subprocess.run(["cp", "-a", whole, folder], check=True)
        found[words] = run(bound, folder, words).code
    return found


def run(bound: Runner, folder: Path, words: str) -> Ran:
    """Run `ops`, in the fleet if that can be entered."""
    fleet = folder / "fleet"
    if fleet.is_dir() and fleet.stat().st_mode & 0o500 == 0o500:
        return bound.ops(words.split(), fleet, settings(folder))
    if words == GROUPS:  # pyinfra is run in the fleet's folder
        return Ran(0, "", "", 0)
    elsewhere = [*words.replace("../", "").split(), "--fleet", str(fleet)]
    return bound.ops(elsewhere, folder, settings(folder))


def hold(ran: Ran, where: str) -> None:
    said = ran.err + ran.out
    assert "Traceback" not in said, f"{where}: {ran.err[-1500:]}"
    assert ran.code in (0, 1, 2, 3, 4), f"{where}: {ran}"
    assert ran.seconds < LONGEST, where
    assert not ran.code or said.strip(), f"{where}: exit {ran.code} without a word"


def is_named(ran: Ran, path: Path) -> bool:
    """Return whether a sentence names what is spoilt, or its folder, and is not alone with it."""
    return any(part in ran.err + ran.out for part in (path.name, path.parent.name))


def sabotage(
    bound: Runner, folder: Path, spoilt: str, way: Callable[[Path], object]
) -> Iterator[tuple[str, Ran]]:
    with chdir(folder):  # the path of a socket is short
        way(folder / spoilt)
    for words in (FILES | FOLDERS | ENCRYPTED)[spoilt]:
        ran = run(bound, folder, words)
        hold(ran, f"{spoilt}, {words}")
        yield words, ran


@pytest.mark.parametrize(("spoilt", "way"), cases(FILES, IN_PLACE_OF_A_FILE))
def test_a_spoilt_file_is_a_sentence_in_time(
    bound: Runner, sound: dict[str, int], place: Path, spoilt: str, way: str
) -> None:
    for words, ran in sabotage(bound, place, spoilt, IN_PLACE_OF_A_FILE[way]):
        if ran.code not in (0, sound[words]) and way not in ("missing", "empty"):
            assert is_named(ran, place / spoilt), f"{words}: {ran}"


@pytest.mark.parametrize(("spoilt", "way"), cases(FOLDERS, IN_PLACE_OF_A_FOLDER))
def test_a_spoilt_folder_is_a_sentence_in_time(
    bound: Runner, sound: dict[str, int], place: Path, spoilt: str, way: str
) -> None:
    for words, ran in sabotage(bound, place, spoilt, IN_PLACE_OF_A_FOLDER[way]):
        if ran.code not in (0, sound[words]) and way != "missing":
            assert is_named(ran, place / spoilt), f"{words}: {ran}"


@pytest.mark.parametrize(("spoilt", "way"), cases(ENCRYPTED, IN_PLACE_OF_A_FILE))
def test_what_encrypted_secrets_need_is_a_sentence_in_time(
    bound: Runner, place: Path, spoilt: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(age.IDENTITY, str(place / "id" / "identity.txt"))
    fleet = load(place / "fleet")
    age.keep_recipients(fleet, [age.make_identity()])
    store.encrypt(fleet)
    assert list(sabotage(bound, place, spoilt, IN_PLACE_OF_A_FILE[way]))


WRITERS = (
    "secrets fill --replace alice",
    "core pin 26.10.10 --archive ../core.zip",
    "secrets recipients --add age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
    "ledger export --output out",
    "ledger backup out.db",
    "link alice --host fra1 --address fra1.example.net --png out.png",
    "collect --timeout 1",
    "reset alice",
    "validate",
    "init .",
    "init other",
    "traffic --timeout 1",
)


@pytest.fixture
def full(place: Path) -> Iterator[Path]:
    """It all on a disk that is full."""
    disk = place.parent / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted: this needs root")
    try:
        subprocess.run(["cp", "-a", place, disk / "all"], check=True)
        with (disk / "rest").open("wb") as file:
            subprocess.run(["cat", "/dev/zero"], stdout=file, stderr=subprocess.PIPE, check=False)
        yield disk / "all"
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.parametrize("words", WRITERS)
def test_a_full_disk_is_a_sentence_and_loses_nothing(bound: Runner, full: Path, words: str) -> None:
    kept = {file: file.read_bytes() for file in (full / "fleet" / "inventory").glob("*.toml")}
    ran = bound.ops(words.split(), full / "fleet", settings(full) | {"TMPDIR": str(full)})
    hold(ran, words)
    for file, content in kept.items():
        assert file.read_bytes() == content
    if ran.code:  # half of an output is none
        assert not [
            name for name in ("out", "out.db", "out.png") if (full / "fleet" / name).exists()
        ]
