"""What a rollout would do to a host, and why it would not; no host is needed to tell."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.errors import CoreError, SecretsError
from ops.model import Core, Fleet, Host, InboundSecrets, Key, Secrets, Ssh, layout
from ops.servers.on_host import order, places, users
from ops.servers.on_host.state import HostState, digest
from ops.servers.planning import refusals
from ops.servers.planning.checkout import Checkout, checkout
from ops.servers.planning.consent import Consent
from ops.servers.planning.difference import difference
from ops.servers.planning.plan import Plan, plan, removal
from ops.servers.planning.transition import Transition
from ops.servers.planning.wanted import Wanted, wanted
from tests import fleets, sample
from tests.hosts import healthy

SUM = "5" * 64
PINNED = f'sha256.x86_64 = "{SUM}"'
HERE = Checkout(Path("/nowhere"), "c0ffee", clean=True, who="ann@desk")
CORE = Core(version="26.10.10", sha256={"x86_64": SUM})


def fleet(**changes: Any) -> Fleet:
    return sample.fleet(core=CORE, **changes)


def want(fleet: Fleet, host: Host | None = None, secrets: Secrets | None = None) -> Wanted:
    held = secrets or sample.secrets(fleet)
    return wanted(fleet, host or fleet.hosts[0], held, "x86_64", [])


def transition(state: HostState, of: Fleet | None = None) -> Transition:
    ours = of or fleet()
    return Transition(ours, ours.hosts[0], state, want(ours))


def planned(state: HostState, of: Fleet | None = None) -> Plan:
    return plan(transition(state, of), HERE)


def how(planned: Plan) -> str:
    return planned.order.how if planned.order else "nothing"


SETTLED = healthy(want(fleet()))


# What changes


def test_a_host_that_has_everything_is_left_alone() -> None:
    assert planned(SETTLED) == Plan(lines=("nothing to change",))


def test_a_new_key_goes_into_the_running_core() -> None:
    more = fleet(keys=(*fleet().keys, Key(name="dora")))
    told = planned(SETTLED, more)
    assert how(told) == order.HOT
    assert list(told.contents) == [layout.CONFIG]
    assert told.lines == (
        f"+ key dora on {', '.join(sorted(sample.KINDS))}",
        "the running core takes the change: nobody is disconnected",
    )


def test_a_removed_key_and_a_moved_one_are_named() -> None:
    fewer = fleet(keys=(Key(name="alice"), Key(name="carol", opens=frozenset({"ams/ws"}))))
    told = planned(SETTLED, fewer)
    assert how(told) == order.HOT
    left = sorted(set(sample.KINDS) - {"ws"})
    assert f"- key carol on {', '.join(left)}" in told.lines


def test_users_that_only_the_core_lacks_are_put_right() -> None:
    """As after a rollout that was killed between the file and the core."""
    there = {**SETTLED.users, "ws": {}} if SETTLED.users else {}
    assert how(planned(SETTLED._replace(users=there))) == order.HOT


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"active": "failed"}, "the service is failed"),
        ({"active": ""}, "the service is missing"),
        ({"started_core": "4" * 64}, "core 26.10.10"),
        ({"started_frame": "another"}, "config"),
        ({"started_unit": "another"}, "service"),
        ({"users": None}, "the running core does not answer"),
        ({"unfinished": "bob@laptop"}, "bob@laptop left a rollout unfinished"),
    ],
)
def test_what_the_core_cannot_take_in_restarts_it(changes: dict[str, Any], why: str) -> None:
    told = planned(SETTLED._replace(**changes))
    assert how(told) == order.RESTART
    assert told.lines[-1] == f"the core is restarted: {why}"


def test_after_an_unfinished_rollout_the_whole_set_is_sent() -> None:
    told = planned(SETTLED._replace(unfinished="bob@laptop"))
    assert told.order
    assert set(told.order.paths) == SETTLED.disk.keys()


@pytest.mark.parametrize("path", [places.PROGRAM, next(iter(places.LINKS))])
def test_what_the_core_does_not_run_on_is_put_right_beside_it(path: str) -> None:
    disk = {**SETTLED.disk, path: "another"}
    told = planned(SETTLED._replace(disk=disk))
    assert how(told) == order.FILES
    assert told.order
    assert told.order.paths == [path]


def test_tuning_that_is_switched_off_is_removed() -> None:
    tuned = fleet().hosts[0]
    disk = want(fleet(), replace(tuned, kernel_tuning=True)).digests
    told = planned(SETTLED._replace(disk=disk))
    assert told.order
    assert (told.order.how, told.order.removed) == (order.FILES, [places.SYSCTL])
    assert f"- {places.SYSCTL}" in told.lines


def test_a_host_of_old_cores_is_restarted_for_its_users_only_when_they_change() -> None:
    old = fleet()
    old = replace(old, hosts=(replace(old.hosts[0], api="inbound"),))
    state = healthy(want(old), users=None)
    assert how(planned(state, old)) == "nothing"
    more = replace(old, keys=(*old.keys, Key(name="dora")))
    assert how(planned(state, more)) == order.RESTART


def test_an_order_says_what_it_was_planned_on_and_by_whom() -> None:
    told = planned(SETTLED._replace(active="failed")).order
    assert told
    assert (told.planned_on, told.who) == (digest(SETTLED.disk), "ann@desk")
    assert told.record | {"config": ""} == {
        "commit": "c0ffee",
        "clean": True,
        "who": "ann@desk",
        "config": "",
        "fleet": "",
    }


def test_a_core_is_sent_only_to_a_host_that_lacks_it() -> None:
    fresh = planned(HostState(machine="x86_64")).order
    again = planned(SETTLED._replace(active="failed")).order
    assert fresh
    assert again
    assert fresh.core["upload"] == f"{places.STATE}/{SUM}.zip"
    assert again.core["upload"] == again.core["url"] == ""


def test_a_core_may_be_pulled_by_the_host() -> None:
    pulling = replace(fleet(), core=replace(CORE, fetch="pull"))
    told = planned(HostState(machine="x86_64"), pulling).order
    assert told
    assert told.core["url"].endswith("/v26.10.10/Xray-linux-64.zip")


def test_who_needs_sudo_is_let_at_the_socket() -> None:
    ours = fleet()
    ours = replace(ours, hosts=(replace(ours.hosts[0], ssh=Ssh(user="admin")),))
    told = planned(HostState(machine="x86_64"), ours).order
    assert told
    assert told.api_users == ["admin"]


def test_a_plan_shows_no_secret() -> None:
    ours = fleet()
    told = plan(Transition(ours, ours.hosts[0], HostState(), want(ours)), HERE)
    held = users.of_config(dict(want(ours).config))
    secrets = {s.split()[0] for named in held.values() for s in named.values()}
    shown = repr(told) + repr(want(ours))
    assert not [secret for secret in secrets if secret in shown]


# A host that is to be without a core


def test_a_host_that_leaves_is_emptied_once() -> None:
    away = sample.host(state="absent")
    assert how(removal(away, SETTLED, HERE)) == order.ABSENT
    assert removal(away, HostState(), HERE).order is None


# What is refused


def of_the_host(state: HostState, consent: Consent | None = None) -> list[str]:
    return list(refusals.of_the_host(state, HERE, consent or Consent()))


def of_the_set(state: HostState, consent: Consent | None = None) -> list[str]:
    return list(refusals.of_the_set(transition(state), consent or Consent()))


def test_a_settled_host_is_not_refused() -> None:
    assert of_the_host(SETTLED) == of_the_set(SETTLED) == []


def test_a_host_that_somebody_works_on_is_left_to_them() -> None:
    (said,) = of_the_host(SETTLED._replace(holder={"who": "bob@laptop", "since": "12:00"}))
    assert "bob@laptop, since 12:00" in said


def test_a_host_without_systemd_is_refused() -> None:
    (said,) = of_the_host(SETTLED._replace(systemd=False, system="Alpine Linux"))
    assert said.startswith("Alpine Linux does not run systemd")


@pytest.mark.parametrize("holder", [["tcp", 443, 7, "/usr/sbin/nginx"], ["udp", 8388, 7, "/ss"]])
def test_a_port_that_somebody_else_holds_is_named(holder: list[Any]) -> None:
    (said,) = of_the_set(SETTLED._replace(listeners=[holder]))
    assert said.startswith(f"{holder[0]} port {holder[1]} is held by {holder[3]} (pid 7)")


def test_other_ports_may_be_held() -> None:
    state = SETTLED._replace(listeners=[["tcp", 22, 7, "/usr/sbin/sshd"], ["udp", 443, 8, "/q"]])
    assert of_the_set(state) == []


def test_a_foreign_drop_in_is_refused() -> None:
    (said,) = of_the_set(SETTLED._replace(drop_ins=["/etc/systemd/system/xray.service.d/10.conf"]))
    assert "remove it first" in said


def test_a_changed_secret_of_a_key_needs_consent_by_name() -> None:
    there = {"ws": {**(SETTLED.users or {})["ws"], "alice": "00000000"}}
    state = SETTLED._replace(users={**(SETTLED.users or {}), **there})
    (said,) = of_the_set(state)
    assert "--data rotate=alice" in said
    assert of_the_set(state, Consent(rotate=frozenset({"bob"}))) == [said]
    assert of_the_set(state, Consent(rotate=frozenset({"alice"}))) == []
    assert of_the_set(state, Consent(rotate=frozenset({"all"}))) == []


def test_a_changed_secret_is_seen_in_the_file_when_no_core_runs() -> None:
    there = {**SETTLED.file_users, "ws": {**SETTLED.file_users["ws"], "alice": "00000000"}}
    assert of_the_set(SETTLED._replace(active="failed", users=None, file_users=there))


def test_an_inbounds_own_secret_that_would_go_needs_consent() -> None:
    held = {**SETTLED.inbound_secrets, "reality": ["00000000"]}
    state = SETTLED._replace(inbound_secrets=held)
    (said,) = of_the_set(state)
    assert "--data rotate=ams/reality" in said
    assert of_the_set(state, Consent(rotate=frozenset({"ams/reality"}))) == []


def test_another_short_id_may_be_added() -> None:
    ours = fleet()
    held = sample.secrets(ours)
    own = held.inbounds["ams", "reality"]
    more = InboundSecrets(private_key=own.private_key, short_ids=(*own.short_ids, "00ff"))
    inbounds = {**held.inbounds, ("ams", "reality"): more}
    wants = want(ours, secrets=replace(held, inbounds=inbounds))
    beside = Transition(ours, ours.hosts[0], SETTLED, wants)
    assert list(refusals.of_the_set(beside, Consent())) == []


def test_a_refusal_leaves_the_host_and_still_shows_what_was_meant() -> None:
    meant = planned(SETTLED._replace(active="failed"))
    told = refusals.refused(meant, ["why"])
    assert told == Plan(refusal="why", lines=meant.lines)


def test_nothing_to_change_is_never_refused() -> None:
    nothing = planned(SETTLED)
    assert refusals.refused(nothing, ["why"]) is nothing


def test_a_machine_whose_core_is_not_pinned_is_refused() -> None:
    ours = fleet()
    with pytest.raises(CoreError, match="aarch64"):
        wanted(ours, ours.hosts[0], sample.secrets(ours), "aarch64", [])


def test_a_missing_secret_says_what_to_do() -> None:
    with pytest.raises(SecretsError, match="ops secrets"):
        want(fleet(), secrets=Secrets())


# The units


def test_a_spliced_host_drains_before_its_last_reading() -> None:
    unit = {
        accounting: want(fleet(), sample.host(accounting=accounting)).files[places.UNIT].content
        for accounting in ("live", "spliced")
    }
    assert b"XRAY_BUF_SPLICE=disable" in unit["live"]
    assert b"--drain" not in unit["live"]
    assert b"XRAY_BUF_SPLICE" not in unit["spliced"]
    assert b"stop --drain" in unit["spliced"]


def test_what_holds_secrets_is_not_for_everybody() -> None:
    items = want(fleet()).files
    private = {path for path, item in items.items() if item.mode & 0o007 == 0}
    assert layout.CONFIG in private
    assert items[layout.CONFIG].group == layout.USER


def test_certificates_are_told_by_inbound() -> None:
    assert want(fleet()).certificates == {
        inbound.name: ["/etc/ssl/ams.crt", "/etc/ssl/ams.key"]
        for inbound in sample.INBOUNDS
        if inbound.security == "tls"
    }


# The difference


def test_a_difference_names_keys_and_not_who_stands_in_for_nobody() -> None:
    there = {"ss": {layout.NOBODY: "1"}, "ws": {"alice~2": "1"}}
    apart = difference(there, {"ss": {"bob": "2"}, "ws": {"alice~2": "3"}})
    assert list(apart.lines) == ["+ key bob on ss", "~ key alice~2 on ws (another secret)"]
    assert apart.unasked(frozenset()) == ["alice"]


# The core's release


def test_a_release_is_verified_once_for_all_hosts(tmp_path: Path) -> None:
    fleets.write(tmp_path, hosts=fleets.HOSTS.replace("[defaults]", f"{PINNED}\n[defaults]"))
    (tmp_path / "inventory/secrets.toml").touch(mode=0o600)
    script = (
        "from ops.servers.rollout import fleet\n"
        "fleet.archive = lambda core, machine: print(machine)\n"
        f"for host in range(3): fleet.release('{SUM}')"
    )
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "x86_64\n"


# The checkout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    _git(tmp_path, "init", "-q")
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/keys.toml").write_text("")
    _commit(tmp_path)
    return tmp_path


def _git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True)


def _commit(folder: Path) -> str:
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "--allow-empty", "-m", "The fleet")
    return checkout(folder).commit


def test_a_checkout_has_its_past_and_lacks_its_future(repository: Path) -> None:
    first = checkout(repository).commit
    second = _commit(repository)
    assert not checkout(repository).lacks(first)
    _git(repository, "checkout", "-q", first)
    assert checkout(repository).lacks(second)
    assert checkout(repository).lacks("0" * 40)


def test_a_checkout_is_clean_until_something_is_written(repository: Path) -> None:
    assert checkout(repository).clean
    (repository / "notes.txt").write_text("no set is made from these")
    assert checkout(repository).clean
    (repository / "inventory/keys.toml").write_text("[keys.alice]")
    assert not checkout(repository).clean
    assert checkout(repository).uncommitted == ("inventory/keys.toml",)


def test_a_folder_outside_git_has_no_commit(tmp_path: Path) -> None:
    assert (checkout(tmp_path).commit, checkout(tmp_path).clean) == ("", False)


def test_an_old_checkout_is_refused_unless_that_is_meant(repository: Path) -> None:
    here = checkout(repository)
    state = SETTLED._replace(record={"commit": "0" * 40, "who": "bob@laptop", "when": "today"})
    (said,) = refusals.of_the_host(state, here, Consent())
    assert "000000000000, applied by bob@laptop at today" in said
    assert list(refusals.of_the_host(state, here, Consent(force=True))) == []


def test_a_core_that_would_not_fit_is_refused_and_one_that_is_there_is_not() -> None:
    assert of_the_set(SETTLED._replace(free=1 << 20)) == []
    (said,) = of_the_set(SETTLED._replace(free=3 << 20, releases=[]))
    assert said == "the core needs 160 MiB, and 3 are free: make room first"


def test_a_timer_that_somebody_stopped_is_started_again() -> None:
    told = planned(SETTLED._replace(timer=False))  # its unit is there
    assert how(told) == order.FILES
    assert told.lines[0] == "+ the timer for readings, which somebody stopped"
