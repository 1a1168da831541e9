"""docs/python.md: its blocks run on a real fleet, and give the figures that `ops` prints."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.cli import cli
from tests.collectors import Fleet, a_fleet, known_host

PAGE = Path(__file__).parent.parent / "docs" / "python.md"
EXAMPLES = re.findall(r"^```json\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A fleet in git, with a host that counted for alice; the ledger has it all."""
    with a_fleet(tmp_path, monkeypatch) as fleet:
        known_host(fleet).use("alice", 100, 2_000_000)
        fleet.collect()
        folder = fleet.world.folder
        (folder / "my-fleet").symlink_to(folder)
        monkeypatch.chdir(folder)
        author = {
            f"GIT_{who}_{what}": "a@b"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        for words in (["init", "-q"], ["add", "inventory"], ["commit", "-qm", "Begin"]):
            subprocess.run(["git", *words], cwd=folder, env={**os.environ, **author}, check=True)
        yield fleet


@pytest.fixture
def names(fleet: Fleet) -> dict[str, Any]:
    """Run every block, as a reader would type them, and return the names that they leave."""
    names: dict[str, Any] = {}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102  the page is ours
    return names


def ops_(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    cli([*words, "--json"], standalone_mode=False)
    return json.loads(capsys.readouterr().out)


def test_the_blocks_give_the_figures_of_the_fleet(names: dict[str, Any]) -> None:
    assert [(row.key, row.traffic.total) for row in names["report"].rows] == [
        ("alice", 2_000_100),
        ("bob", 0),
    ]
    assert (names["report"].certainty, names["state"].verdict) == ("exact", "OK")
    assert names["answer"].total.total == names["mark"].before.total == 2_000_100
    assert names["used"].total == names["since_reset"].total.total == 0


def test_ops_prints_the_same_json(
    names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    selection, live, booked = names["selection"], names["live"], names["booked"]
    traffic = ops_(capsys, "traffic")
    assert traffic["traffic"] == live.live_traffic(names["report"])["traffic"]
    usage = ops_(capsys, "usage")
    assert usage["usage"] == booked.usage(selection.fleet, names["answer"], ["key"])["usage"]
    assert ops_(capsys, "diff") == names["inventory"].changes(names["changed"])


def test_the_json_of_the_page_has_the_fields_that_ops_prints(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb, example in zip(("traffic", "usage"), map(json.loads, EXAMPLES), strict=True):
        printed = ops_(capsys, verb, "--key", "alice")
        assert list(example) == list(printed)
        assert list(example[verb][0]) == list(printed[verb][0])
    amounts = json.loads(EXAMPLES[0])["traffic"][0]["traffic_bytes"]
    assert list(amounts) == list(printed["usage"][0]["traffic_bytes"])
    assert list(json.loads(EXAMPLES[0])["hosts"][0]) == list(ops_(capsys, "traffic")["hosts"][0])


def test_the_page_has_every_verb_that_prints_figures() -> None:
    page = PAGE.read_text()
    verbs = ("traffic", "hosts", "compare", "keys", "usage", "status", "reset", "ledger", "diff")
    assert [verb for verb in verbs if f"`ops {verb}" not in page] == []
