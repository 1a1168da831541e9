"""What people's files may hold: each fault is one sentence, told at once."""

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ops import files
from ops.counting.tunnel.known_hosts import check_known_hosts
from ops.errors import FleetError
from ops.fleet.inventory import load
from ops.fleet.inventory.toml import parse_document
from ops.model.spelling import did_you_mean
from tests import fleets

ROOT = Path(__file__).parent.parent
SIZE = 1_000_000
"""Characters of a pathological input."""
CONFLICT = "<<<<<<< HEAD\n[keys.carol]\n=======\n[keys.dave]\n>>>>>>> theirs\n"


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


def refusal(work: Callable[[], object]) -> str:
    """Return the sentence with which *work* is refused."""
    try:
        work()
    except OSError as error:
        return files.sentence(error)
    return ""


NO_FILES: dict[str, Callable[[Path], object]] = {
    "is a folder, where a file belongs": lambda path: path.mkdir(),
    "is a named pipe, where a file belongs": os.mkfifo,
    "is a socket, where a file belongs": a_socket,
    "is a device, where a file belongs": lambda path: path.symlink_to("/dev/zero"),
    "is a link that leads back to itself": lambda path: path.symlink_to(path.name),
    "is missing": lambda path: path.symlink_to("nowhere"),
}


@pytest.mark.parametrize("said", NO_FILES)
def test_what_is_no_file_is_refused_at_once_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    NO_FILES[said](tmp_path / "keys.toml")
    assert refusal(lambda: files.read_text(tmp_path / "keys.toml")).startswith(
        f"keys.toml: {said}; "
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a\n\xff", ":2: is not UTF-8 text; save the file as UTF-8"),
        (b"\xef\xbb\xbfa", ":1: begins with a byte order mark; save the file as UTF-8 without"),
        ("a".encode("utf-16"), ":1: is UTF-16 text; save the file as UTF-8"),
        (b"a\nb\0", ":2: holds a NUL byte, so it is no text; "),
        (b"a\n" + CONFLICT.encode(), ":2: holds a conflict marker of git; choose what is right"),
    ],
)
def test_what_is_no_clean_text_is_named_for_what_it_is(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "file").write_bytes(content)
    assert f"file{said}" in refusal(lambda: files.read_text(tmp_path / "file"))


@pytest.mark.parametrize("name", ["hosts.toml", "keys.toml", "issued.toml"])
@pytest.mark.parametrize(
    ("before", "said"),
    [("\ufeff", "begins with a byte order mark"), (CONFLICT, "holds a conflict marker of git")],
)
def test_a_bom_and_conflict_markers_are_named_in_every_file_of_the_fleet(
    tmp_path: Path, name: str, before: str, said: str
) -> None:
    file = fleets.write(tmp_path) / "inventory" / name
    file.write_text(before + (file.read_text() if file.exists() else ""))
    with pytest.raises(FleetError, match=rf"{name}:1: {said}"):
        load(tmp_path)


def test_conflict_markers_in_known_hosts_are_named(tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_text(CONFLICT)
    with pytest.raises((OSError, FleetError), match="conflict marker"):
        check_known_hosts(tmp_path / "known_hosts")


def test_a_file_that_never_ends_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(8 << 30)
    with pytest.raises(OSError, match="is over 64 MiB"):
        files.read_bytes(tmp_path / "sparse")


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    files.write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("said", ["is a folder, where a file belongs", "is a link that leads back"])
def test_what_is_no_file_is_not_replaced(tmp_path: Path, said: str) -> None:
    next(make for name, make in NO_FILES.items() if said in name)(tmp_path / "target")
    assert said in refusal(lambda: files.write_atomically(tmp_path / "target", b"new"))


def test_a_device_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")
    with pytest.raises(OSError, match="is a device"):
        files.write_atomically(tmp_path / "null", b"new")


def bad(rest: str) -> str:
    """Return a hosts.toml with an error, and with *rest*, which is looked at for its line."""
    return f'{fleets.HOSTS}\n[hosts.other]\nunknown = 1\nnote = """\n{rest}\n"""\n'


def after(rest: str) -> str:
    return f"{fleets.HOSTS}\n{rest}"


half, tenth = SIZE // 2, SIZE // 10
PATHOLOGICAL = {
    "a header of spaces": after("[" + " " * SIZE),
    "a header of spaces in a note": bad("[" + " " * SIZE),
    "a header of words in a note": bad("[ " + "a " * half),
    "a field of spaces": bad("a" * half + " " * half),
    "a dotted field": after("a" + ".a" * half + "=1"),
    "a dotted field with spaces": after("a" + " . a" * (SIZE // 4) + "=1"),
    "a dotted field of quotes": after("a" + '."a"' * (SIZE // 4) + "=1"),
    "a dotted header": after("[a" + ".a" * half + "]"),
    "dots in a note": bad("a" + ".a" * half),
    "nested lists": after("a=" + "[" * SIZE),
    "nested tables": after("a=" + "{a=" * (SIZE // 3)),
    "many repeated tables": after("[[rules]]\n" * tenth),
    "many unknown fields": after("[hosts.x]\n" + "".join(f"a{n}=1\n" for n in range(tenth))),
    "a field with a long name": after("[hosts.x]\n" + "a" * SIZE + "=1"),
    "a host with a long name": after("[hosts." + "a" * SIZE + "]"),
    "a list of unknown groups": after(
        "[hosts.x]\ngroups=[" + ",\n".join(f'"g{n}"' for n in range(tenth)) + "]"
    ),
    "a group with a long name": after('[hosts.x]\ngroups=["' + "g" * SIZE + '"]'),
    "a list of numbers": after("[hosts.x]\ngroups=[" + "1,\n" * (SIZE // 3) + "]"),
    "an open string": after('a="' + "\\\\" * half),
    "an open note": after('a="""' + '"\\\n' * (SIZE // 3)),
    "quotes": after("a=" + '"' * SIZE),
    "a long number": after("a=" + "1" * SIZE),
    "new lines": after("\n" * SIZE + "="),
    "many wrong names": after("".join(f"[hosts.H{n}]\n" for n in range(tenth))),
}


@pytest.mark.parametrize("kind", PATHOLOGICAL)
def test_a_megabyte_is_refused_in_a_sentence_and_in_time(tmp_path: Path, kind: str) -> None:
    fleets.write(tmp_path)
    (tmp_path / "inventory" / "hosts.toml").write_text(PATHOLOGICAL[kind])
    done = subprocess.run(
        [sys.executable, "-m", "ops", "validate", "--fleet", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        # Seconds of the processor, of which this takes one; what is not linear takes minutes.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (10, 10)),
    )
    assert done.returncode == 1, done.stderr[-500:]
    assert "hosts.toml" in done.stderr
    assert len(done.stderr) < 100_000


def test_long_and_many_words_are_compared_in_time() -> None:
    assert did_you_mean("a" * SIZE, ["b" * SIZE, "port"]) == f"known: {'b' * SIZE}, port"
    names = [f"h{number}" for number in range(100_000)]
    for number in range(200):
        assert did_you_mean(f"h{number}x", names) in ("", f"did you mean 'h{number}'?")


def test_the_line_of_each_value_of_a_long_list_is_found() -> None:
    many = ",\n".join(f'"g{number}"' for number in range(50_000))
    document = parse_document("keys.toml", f"a = 1\nlist = [{many}]\n")
    assert document.line(("list",), "g49999") == 50_001
    assert document.line(("list",), "elsewhere") == 2
