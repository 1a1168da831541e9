"""Configs are read as the core reads them: comments, merging; and with limits of our own."""

import json
import subprocess
from pathlib import Path

import pytest

from ops.config.lint import ConfigError, merged, read

COMMENTED = """{ // one
  # two "not a key": 1,
  "log": /* three
  lines */ {"access": "http://x/#y", "error": "/* no */"},
  "inbounds": [
    {"tag": "a"}, 7,
    {"tag": "b",
     "Settings": {"clients": [{"id": 1},
                              {"id": 2}]}}
  ]
}"""


def test_comments_are_no_part_of_it() -> None:
    text = read("x", COMMENTED.encode())
    assert text.data["log"] == {"access": "http://x/#y", "error": "/* no */"}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("log",), 3),
        (("log", "error"), 4),
        (("inbounds", 0), 6),
        (("inbounds", 1), 6),
        (("inbounds", 2, "tag"), 7),
        (("inbounds", 2, "settings", "clients", 1, "id"), 9),
        (("inbounds", 2, "settings", "nothing", "there"), 8),
    ],
)
def test_every_place_has_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert read("x", COMMENTED.encode()).line(path) == line


@pytest.mark.parametrize(
    ("raw", "line", "said"),
    [
        (b"", 1, "is empty"),
        (b'{"a": 1,\n}', 2, "a comma before '}'"),
        (b'{"a": [1', 1, "ends in the middle"),
        (b"{}\n{}", 2, "has text after the last }"),
        (b'{\n"a": "\xff"}', 2, "not UTF-8"),
        (b"\xef\xbb\xbf{}", 1, "byte order mark"),
        (b"[]", 1, "begin with {"),
        (b'{"a": NaN}', 0, "NaN is not JSON"),
        (b'[log]\nloglevel = "x"\n', 1, "xray convert json"),
        (b"log:\n  loglevel: x\n", 1, "xray convert json"),
        (b'{"a":' + b"\n[" * 200_000, 101, "nested more than 100 deep"),
        (b"{" + b'"a":{' * 200_000, 1, "nested more than 100 deep"),
        (b"{'a': 1}", 1, "double quotes"),
        (b"/" * 1000, 1, "is empty"),
        (b"/* " * 100_000, 1, "is empty"),
    ],
)
def test_what_is_no_config_is_told_by_its_line(raw: bytes, line: int, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        read("x", raw)
    assert error.value.line == line


def test_a_huge_file_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(ConfigError, match="over 32 MiB"):
        read("x", b" " * (100 << 20))


def test_keys_that_are_written_twice_are_known() -> None:
    assert read("x", b'{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}').twice == ("c", "a")


def ways(*tags: str) -> list[dict[str, object]]:
    return [{"tag": tag, "protocol": "freedom"} if tag else {"protocol": "freedom"} for tag in tags]


def doors(*tags: str) -> list[dict[str, object]]:
    return [
        {"tag": tag, "port": 1000 + at, "listen": "127.0.0.1", "protocol": "socks"}
        for at, tag in enumerate(tags)
    ]


FILES = [
    ("00.json", {"log": {"loglevel": "info"}, "outbounds": ways("a", "b"), "inbounds": doors("x")}),
    ("01.json", {"log": {"error": ""}, "outbounds": ways("c", "b", "d"), "env": {"A": "1"}}),
    ("02.json", {"inbounds": doors("y", "x"), "stats": {}, "env": {"B": "2"}}),
    ("99_tail.json", {"outbounds": ways("e", "", "a"), "policy": None}),
]


def test_files_are_merged_as_the_core_merges_them(tmp_path: Path, core: Path) -> None:
    for name, data in FILES:
        (tmp_path / name).write_text(json.dumps(data))
    words: list[str | Path] = [core, "run", "-dump", "-confdir", tmp_path]
    dumped = json.loads(subprocess.run(words, capture_output=True, check=True, timeout=20).stdout)
    ours = merged([read(name, json.dumps(data).encode()) for name, data in FILES]).data
    for part in ("inbounds", "outbounds"):
        tags = [entry.get("tag", "") for entry in ours[part]]
        assert tags == [entry.get("tag", "") for entry in dumped[part]]
        assert [e.get("port") for e in ours[part]] == [e.get("port") for e in dumped[part]]
    assert ours["log"].get("loglevel", "") == dumped["log"].get("loglevel", "") == ""
    assert ours["env"] == dumped["env"] == {"A": "1", "B": "2"}


def test_a_part_of_the_whole_knows_its_file_and_line() -> None:
    texts = [read(name, json.dumps(data, indent=1).encode()) for name, data in FILES]
    whole = merged(texts)
    tags = [entry.get("tag") for entry in whole.data["outbounds"]]
    origin = whole.origin(("outbounds", tags.index("d"), "protocol"))
    assert (origin.text.name, origin.path) == ("01.json", ("outbounds", 2, "protocol"))
    assert whole.origin(("stats",)).text.name == "02.json"
    assert whole.origin(("routing",)).text.name == "00.json"
