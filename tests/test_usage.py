"""``ops usage``, ``reset``, ``ledger`` and ``status``, as people type them."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from ops.cli import cli
from ops.errors import FleetError
from ops.fleet import inventory
from ops.ledger import open_ledger
from ops.model import Billing, LedgerSettings, NicCounters
from tests import fleets
from tests.ledgers import Clock, Server

BILLED = """
    [ledger]
    zone = "Europe/Amsterdam"
    keep = { fives = 3, hours = 100, runs = 200 }
    [hosts.lon1]
    billing = { day = 17, direction = "max", included = "20 TB" }
"""


@pytest.fixture(autouse=True)
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("OPS_LEDGER", raising=False)
    folder = fleets.write(tmp_path / "fleet", more=BILLED)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def booked(fleet: Path) -> Server:
    """A host that was read all day, and just now; alice and a key that left used it."""
    clock = Clock(datetime.now(UTC) - timedelta(hours=3))
    with open_ledger(inventory.load(fleet), clock=clock) as ledger:
        ledger.enrol(["ams1", "fra1", "lon1"], ["alice", "bob", "gone"])
        clock.pass_(seconds=1)
        server = Server("ams1", clock)
        others = [Server("fra1", clock, run="f"), Server("lon1", clock, run="l")]
        for minutes in (10, 10, 150):
            server.use("alice", 1000, 2000)
            server.use("gone", 1, 1)
            clock.pass_(minutes=minutes)
            ledger.book_all([s.visit() for s in (server, *others)])
        clock.now = datetime.now(UTC)
        nic = NicCounters(host="ams1", boot="b", read_at=clock.now, received=10, sent=10)
        ledger.book_all([replace(server.visit(), nic=nic), *(s.visit() for s in others)])
        nic = replace(nic, received=1010, sent=3010)
        ledger.book(replace(server.visit(), nic=nic))
        ledger.enrol(["ams1", "fra1", "lon1"], ["alice", "bob"])
    return server


def ops_(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, words, input=stdin, catch_exceptions=False)


def today() -> str:
    """Return options for a span that holds all of the fixture, whenever the test runs."""
    return "--since=2d"


@pytest.mark.usefixtures("booked")
def test_usage_by_key_has_every_key_and_says_how_sure_it_is() -> None:
    out = ops_("usage", today()).stdout.splitlines()
    assert out[0].startswith("Usage from ")
    assert "(Europe/Amsterdam), as of " in out[0]
    assert out[2].split() == ["key", "up", "down", "total", "certainty"]
    assert [line.split("  ")[0].split(" (until")[0] for line in out[3:7]] == [
        *("alice", "gone", "bob", "total")
    ]
    assert out[3].endswith("exact")


@pytest.mark.usefixtures("booked")
def test_what_was_booked_late_is_told_where_it_matters() -> None:
    assert "may lack" not in ops_("usage", today()).stdout
    assert "not read in between" in ops_("usage", today(), "--by", "hour").stdout


@pytest.mark.usefixtures("booked")
def test_usage_as_json_has_the_promised_fields() -> None:
    answer = json.loads(ops_("usage", today(), "--json", "--key", "alice").stdout)
    assert answer["certainty"] == "exact"
    assert answer["since"].endswith("Z")
    (row,) = answer["usage"]
    assert (row["key"], row["in_inventory"], row["certainty"]) == ("alice", True, "exact")
    assert row["traffic_bytes"]["uplink_bytes"] == 3000
    assert row["traffic_bytes"] == answer["total"]["traffic_bytes"]
    assert set(row["traffic_bytes"]) >= {"total_mb", "source"}


@pytest.mark.usefixtures("booked")
def test_usage_as_csv_by_several_things() -> None:
    out = ops_("usage", today(), "--by", "day", "--by", "host", "--by", "key", "--csv").stdout
    rows = list(csv.DictReader(io.StringIO(out)))
    assert sum(int(row["uplink_bytes"]) for row in rows) == 3003
    assert {(row["host"], row["key"]) for row in rows} == {("ams1", "alice"), ("ams1", "gone")}


@pytest.mark.usefixtures("booked")
def test_require_exact_is_an_exit_code() -> None:
    assert ops_("usage", today(), "--require-exact").exit_code == 0
    hosts = Path("inventory/hosts.toml")
    spliced = '[defaults]\naccounting = "spliced"'
    hosts.write_text(hosts.read_text().replace("[defaults]", spliced))
    result = ops_("usage", today(), "--require-exact")
    assert result.exit_code == 3
    assert "bytes of open connections are counted when those close" in result.stdout


@pytest.mark.usefixtures("booked")
def test_the_hosters_month_stands_beside_the_payload() -> None:
    fleet = inventory.load(Path.cwd())
    assert fleet.host("lon1").billing == Billing(day=17, direction="max", included=20 * 10**12)
    out = json.loads(ops_("usage", "--by", "host", "--nic", "--json").stdout)
    ams1 = next(card for card in out if card["host"] == "ams1")
    assert (ams1["received_bytes"], ams1["sent_bytes"], ams1["billed_bytes"]) == (1000, 3000, 3000)
    lon1 = next(card for card in out if card["host"] == "lon1")
    assert datetime.fromisoformat(lon1["since"]).astimezone(ZoneInfo("Europe/Amsterdam")).day == 17
    assert (lon1["sent_bytes"], lon1["included_bytes"]) == (None, 20 * 10**12)
    table = ops_("usage", "--by", "host", "--nic").stdout
    assert "?" in next(line for line in table.splitlines() if line.startswith("lon1"))


@pytest.mark.usefixtures("booked")
def test_an_unknown_figure_has_no_bytes() -> None:
    assert "0 B" not in (table := ops_("usage", "--month", "2020-01").stdout)
    assert table.count("?") == 9
    out = json.loads(ops_("usage", "--month", "2020-01", "--json").stdout)
    assert {str(row["traffic_bytes"]) for row in [*out["usage"], out["total"]]} == {"None"}
    rows = csv.DictReader(io.StringIO(ops_("usage", "--month", "2020-01", "--csv").stdout))
    assert {row["total_bytes"] for row in rows} == {""}


@pytest.fixture
def one_read(fleet: Path) -> None:
    """A ledger in which one of three hosts was ever read."""
    clock = Clock(datetime.now(UTC) - timedelta(minutes=1))
    with open_ledger(inventory.load(fleet), clock=clock) as ledger:
        ledger.enrol(["ams1", "fra1", "lon1"], ["alice", "bob"])
        server = Server("ams1", clock)
        clock.now = datetime.now(UTC)
        ledger.book(server.visit())


@pytest.mark.usefixtures("one_read")
def test_each_host_has_a_row_whether_it_moved_bytes_or_was_read_at_all() -> None:
    out = json.loads(ops_("usage", "--by", "host", "--json").stdout)
    assert [(row["host"], row["certainty"]) for row in out["usage"]] == [
        *(("ams1", "exact"), ("fra1", "unknown"), ("lon1", "unknown"))
    ]
    payload = {
        bill["host"]: bill["payload_bytes"]
        for bill in json.loads(ops_("usage", "--by", "host", "--nic", "--json").stdout)
    }
    assert payload == {"ams1": 0, "fra1": None, "lon1": None}


@pytest.mark.usefixtures("one_read")
def test_a_reset_names_the_hosts_that_were_never_read() -> None:
    shown = ops_("reset", "alice").stdout
    assert "Never read: fra1, lon1. The other hosts had been read at" in shown
    read_at = json.loads(ops_("reset", "alice", "--json").stdout)["read_at"]
    assert [host for host, at in read_at.items() if at is None] == ["fra1", "lon1"]


@pytest.mark.usefixtures("booked")
def test_a_host_that_was_ruled_out_is_told_with_the_person_and_the_moment(fleet: Path) -> None:
    hosts = ["ams1", "fra1", "lon1"]
    with open_ledger(inventory.load(fleet)) as ledger:
        ledger.enrol([*hosts, "frra1"], ["alice", "bob"])
        ledger.enrol(hosts, ["alice", "bob"])
    assert "frra1: never read" in ops_("usage").stdout
    assert (
        "ruled out that anything counted under frra1" in ops_("ledger", "rule-out", "frra1").stdout
    )
    table = " ".join(ops_("usage").stdout.split())
    assert "ruled out that another machine counted under this name" in table
    assert "What these figures may lack" not in table
    again = ops_("ledger", "rule-out", "frra1")
    assert (again.exit_code, "nothing is in doubt" in again.stderr) == (1, True)
    assert ops_("ledger", "rule-out", "nobody").exit_code == 2


def test_a_reset_of_a_fleet_that_was_never_read_says_so(fleet: Path) -> None:
    with open_ledger(inventory.load(fleet)) as ledger:
        ledger.enrol(["ams1"], ["alice"])
    assert "None of its hosts was ever read." in ops_("reset", "alice").stdout


@pytest.mark.usefixtures("one_read")
def test_usage_since_a_reset_names_the_moment_of_the_reset() -> None:
    at = json.loads(ops_("reset", "alice", "--json").stdout)["at"]
    table = ops_("usage", "--since", "reset").stdout
    assert table.startswith("Usage since each key was reset until ")
    row = json.loads(ops_("usage", "--since", "reset", "--json").stdout)["usage"][0]
    assert (row["reset_at"], at[13:19] in table) == (at, True)


@pytest.mark.usefixtures("booked")
def test_a_reset_is_a_mark_in_the_promised_form() -> None:
    assert ops_("reset", "alice").stdout.startswith("alice is reset at ")
    assert ops_("stats", "user", "alice", "--reset").stdout == "uplink:0\ndownlink:0\n"
    out = json.loads(ops_("usage", "--since", "reset", "--json").stdout)
    assert [(row["key"], row["traffic_bytes"]["total_bytes"]) for row in out["usage"]] == [
        ("alice", 0)
    ]
    assert "8.8 KiB" in ops_("usage", today(), "--key", "alice").stdout
    assert json.loads(ops_("reset", "alice", "--json").stdout)["before"]["traffic_bytes"]


@pytest.mark.usefixtures("booked")
def test_the_first_reset_prints_all_that_was_used() -> None:
    assert ops_("stats", "user", "alice", "--reset").stdout == "uplink:3000\ndownlink:6000\n"
    assert ops_("stats", "user", "gone", "--reset").stdout == "uplink:3\ndownlink:3\n"


@pytest.mark.usefixtures("booked")
@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("reset", "alise"), "did you mean 'alice'?"),
        (("usage", "--key", "x*"), "no key matches 'x*'"),
        (("usage", "--host", "x*"), "no host matches 'x*'"),
        (("usage", "--month", "2026-13"), "is no month"),
        (("usage", "--since", "yesterday"), "is no time"),
        (("usage", "--zone", "Mars"), "is no time zone"),
        (("usage", "--month", "last", "--since", "2d"), "use one"),
        (("usage", "--nic", "--since", "2d"), "months are the hoster's"),
        (("usage", "--since", "reset", "--by", "host"), "is by key"),
        (("status", "--max-age", "soon"), "is no length of time"),
    ],
)
def test_what_names_nothing_is_refused(words: tuple[str, ...], complaint: str) -> None:
    result = ops_(*words)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_without_a_ledger_nothing_is_made(fleet: Path) -> None:
    result = ops_("usage")
    assert (result.exit_code, "`ops collect` begins it" in result.stderr) == (1, True)
    assert ops_("status").exit_code == 3
    assert ops_("status").stdout.startswith("UNKNOWN: there is no ledger")
    assert not (fleet / "state").exists()


@pytest.mark.usefixtures("booked")
def test_status_is_one_line_and_a_code() -> None:
    fine = ops_("status")
    assert (fine.exit_code, fine.stdout.count("\n")) == (0, 1)
    assert fine.stdout.startswith("OK: 3 hosts read, the last ")
    fleet = inventory.load(Path.cwd())
    clock = Clock(datetime.now(UTC) + timedelta(hours=1))
    with open_ledger(fleet, clock=clock) as ledger:
        ledger.book(Server("ams1", clock, run="r9").visit())
    ahead = ops_("status")
    assert (ahead.exit_code, "the clock here is" in ahead.stdout) == (1, True)


def test_status_names_who_is_behind(fleet: Path) -> None:
    clock = Clock(datetime.now(UTC) - timedelta(hours=3))
    with open_ledger(inventory.load(fleet), clock=clock) as ledger:
        ledger.enrol(["ams1", "fra1", "lon1"], [])
        assert ops_("status").exit_code == 3
        clock.pass_(seconds=1)
        ledger.book(Server("ams1", clock).visit())
    behind = ops_("status", "--max-age", "1h")
    assert behind.exit_code == 1
    assert "2 of 3 hosts never read: fra1, lon1" in behind.stdout
    assert "1 of 3 hosts not read for over 1h: ams1 (2h" in behind.stdout
    assert ops_("status", "--max-age", "1d", "--host", "ams1").exit_code == 0


@pytest.mark.usefixtures("booked")
def test_the_ledger_is_looked_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ams1" in ops_("ledger", "status").stdout
    assert {host["host"] for host in json.loads(ops_("ledger", "status", "--json").stdout)["hosts"]}
    assert ops_("ledger", "status", "--csv").stdout.startswith("host,read,run")
    table = ops_("ledger", "status").stdout.split("\n\n", 1)[1]
    assert max(map(len, table.splitlines())) <= 80
    assert "adds up" in ops_("ledger", "verify").stdout
    assert ops_("ledger", "prune").exit_code == 0
    assert ops_("ledger", "backup", str(tmp_path / "copy.db")).exit_code == 0
    target = tmp_path / "x.jsonl"
    assert ops_("ledger", "export", "--output", str(target)).exit_code == 0
    assert ops_("ledger", "export", "--output", str(target)).exit_code == 2
    assert target.stat().st_mode & 0o777 == 0o600
    assert ops_("ledger", "export").stdout == target.read_text()
    assert "not empty" in ops_("ledger", "import", str(target)).stderr
    monkeypatch.setenv("OPS_LEDGER", f"sqlite:///{tmp_path}/new.db")
    assert "The ledger has" in ops_("ledger", "import", str(target)).stdout
    monkeypatch.setenv("OPS_LEDGER", f"sqlite:///{tmp_path}/newer.db")
    assert ops_("ledger", "import", "-", stdin=target.read_text()).exit_code == 0
    assert ops_("ledger", "export").stdout == target.read_text()


@pytest.mark.usefixtures("booked")
def test_verify_is_an_exit_code(fleet: Path) -> None:
    with open_ledger(inventory.load(fleet)) as ledger:
        ledger.store.written(lambda tx: tx.exec_driver_sql("UPDATE counters SET up = up + 1"))
    result = ops_("ledger", "verify")
    assert result.exit_code == 1
    assert "alice on ams1: its runs counted 3001 up" in result.stderr


def test_live_verbs_do_not_load_the_ledger() -> None:
    script = (
        "import sys, ops.cli.traffic, ops.cli.usage, ops.cli.stats, ops.cli.status, ops.cli.reset\n"
        "sys.exit('sqlalchemy' in sys.modules)"
    )
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", script], cwd=root, check=False).returncode == 0


def test_the_inventory_says_how_the_ledger_is_kept(fleet: Path) -> None:
    assert inventory.load(fleet).ledger == LedgerSettings(
        zone="Europe/Amsterdam", keep_fives=3, keep_hours=100, keep_runs=200
    )


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ('[ledger]\nzone = "Mars"', "is no time zone"),
        ('[ledger]\nurl = "mysql://x"', "write sqlite:////path"),
        ('[ledger]\nurl = "postgresql://ops:secret@db/x"', "a password does not go into git"),
        ('[ledger]\nurl = "postgresql://ops@db/x?password=secret"', "does not go into git"),
        ("[ledger]\nkeep = { runs = 30 }", "greater than or equal to 100"),
        ("[ledger]\nkept = 1", "unknown field 'kept'"),
        ('[hosts.b]\nbilling = { included = "a lot" }', "is no amount"),
        ("[hosts.b]\nbilling = { day = 32 }", "less than or equal to 31"),
        ('[hosts.b]\nbilling = { direction = "up" }', "is not known"),
    ],
)
def test_what_the_inventory_may_not_say(tmp_path: Path, more: str, complaint: str) -> None:
    folder = fleets.write(tmp_path / "bad")
    hosts = folder / "inventory" / "hosts.toml"
    hosts.write_text(f"{hosts.read_text()}\n{more}\n")
    with pytest.raises(FleetError, match=complaint) as error:
        inventory.load(folder)
    assert "secret" not in str(error.value)
