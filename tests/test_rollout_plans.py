"""What a plan tells people: whose work it is, what changes, what is damaged, what is not ours."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.model import layout
from ops.servers.on_host import order, places, settings
from ops.servers.on_host.state import HostState
from ops.servers.planning import refusals
from ops.servers.planning.checkout import Checkout
from ops.servers.planning.consent import Consent
from ops.servers.planning.plan import Plan, plan, removal
from ops.servers.planning.settings import changed_settings, redialled_inbounds
from ops.servers.planning.transition import Transition
from ops.servers.planning.wanted import wanted
from tests import sample
from tests.test_rollout import CORE, HERE, SETTLED, fleet, how, planned, transition, want

DIRTY = Checkout(Path("/nowhere"), "c0ffee", False, "ann@desk", ("inventory/keys.toml",))
UNCOMMITTED = {
    "commit": "c0ffee",
    "clean": False,
    "who": "bob@laptop",
    "when": "2026-11-25T12:00:00Z",
    "uncommitted": ["inventory/keys.toml"],
    "config": "abc",
}
DOWN = SETTLED._replace(active="failed")
THEIRS = "xray.service (/usr/local/bin/xray, tcp/443, 3 users)"


def lines(state: HostState, here: Checkout = HERE) -> tuple[str, ...]:
    return plan(transition(state), here).lines


# Uncommitted work


def test_a_plan_says_that_uncommitted_changes_go_with_it() -> None:
    told = plan(transition(DOWN), DIRTY)
    assert told.lines[0] == (
        "this includes uncommitted changes of this folder (inventory/keys.toml): commit them, or "
        "the next rollout from another folder undoes them"
    )
    assert told.order
    assert told.order.record["uncommitted"] == ["inventory/keys.toml"]
    assert told.order.record["who"] == "ann@desk"


def test_a_plan_names_who_rolled_out_uncommitted_before_it_takes_that_back() -> None:
    (told, *_) = lines(DOWN._replace(record=UNCOMMITTED))
    assert told == (
        "the host has uncommitted work of bob@laptop, rolled out at "
        "2026-11-25T12:00:00Z (inventory/keys.toml): ask before this replaces it"
    )


def test_who_goes_on_with_their_own_uncommitted_work_is_not_warned_of_themselves() -> None:
    (told, *_) = lines(DOWN._replace(record={**UNCOMMITTED, "who": "ann@desk"}), DIRTY)
    assert told.startswith("this includes uncommitted changes of this folder")


def test_a_folder_outside_git_has_no_uncommitted_work() -> None:
    outside = Checkout(Path("/nowhere"), "", False, "ann@desk")
    record = {**UNCOMMITTED, "commit": "", "uncommitted": []}
    assert not [told for told in lines(DOWN._replace(record=record), outside) if "uncommit" in told]


def test_what_is_committed_since_is_recorded_and_nothing_else_changes() -> None:
    told = plan(transition(SETTLED._replace(record=UNCOMMITTED)), HERE)
    assert told.order
    assert (told.order.how, told.order.paths) == (order.RECORD, [])
    assert told.lines[0].startswith("nothing to change but the record")


def test_removal_says_whose_uncommitted_work_goes_and_what_stays() -> None:
    away = sample.host(state="absent")
    told = removal(away, SETTLED._replace(record=UNCOMMITTED), HERE).lines
    assert "uncommitted work of bob@laptop" in told[0]
    assert told[1:] == (
        "the core is removed; its readings stay",
        "the user xray and the groups xray and xray-api stay, too",
    )


# Not ours


def test_a_service_that_is_not_ours_is_refused_with_what_to_do() -> None:
    state = HostState(machine="x86_64", active="active", foreign=THEIRS)
    (said,) = refusals.of_the_host(state, HERE, Consent(force=True))
    assert said == (
        f"{THEIRS} runs here and is not of this fleet; a rollout would cut its users off: end it "
        "with `systemctl disable --now xray.service`, then roll out"
    )


def test_a_timer_that_never_was_here_was_stopped_by_nobody() -> None:
    state = HostState(machine="x86_64", active="active", foreign=THEIRS, timer=False)
    assert not [told for told in planned(state).lines if "somebody stopped" in told]


@pytest.mark.parametrize(
    "theirs",
    [
        {"disk": {places.UNIT: "theirs"}, "active": "active", "foreign": THEIRS},
        {"disk": {places.UNIT: "theirs"}, "active": "inactive"},
        {"disk": {layout.CONFIG: "theirs"}, "active": ""},
        {"disk": {places.UNIT: "theirs"}, "record": {"config": "absent"}},
    ],
)
def test_a_host_that_should_have_no_core_keeps_what_others_put_there(theirs: Any) -> None:
    assert removal(sample.host(state="absent"), HostState(**theirs), HERE).order is None


@pytest.mark.parametrize("kept", [{"record": {}}, {"unfinished": "bob"}, {"disk": {}}])
def test_a_host_that_should_have_no_core_loses_ours_whatever_of_it_is_left(kept: Any) -> None:
    record = {"config": "abc", "commit": "", "clean": True}
    state = SETTLED._replace(record=record)._replace(**kept)
    assert how(removal(sample.host(state="absent"), state, HERE)) == order.ABSENT


@pytest.mark.parametrize(
    ("listener", "said"),
    [
        (
            ["tcp", 443, 7, "/usr/sbin/nginx", "nginx.service"],
            "tcp port 443 is held by /usr/sbin/nginx (pid 7 of nginx.service): end it with "
            "`systemctl disable --now nginx.service`, or give the inbound another port",
        ),
        (
            ["tcp", 443, 7, "/opt/x-ui", ""],
            "tcp port 443 is held by /opt/x-ui (pid 7): end it, or give the inbound another port",
        ),
        (
            ["tcp", 443, 7, "/usr/sbin/sshd", "ssh.service"],
            "tcp port 443 is held by /usr/sbin/sshd (pid 7 of ssh.service): give the inbound "
            "another port",
        ),
        (
            ["unix", 0, 7, "/root/xray", ""],
            "the API's socket /run/xray/api.sock is held by /root/xray (pid 7): end that program",
        ),
    ],
)
def test_who_holds_what_we_need_is_named_with_what_ends_it(listener: Any, said: str) -> None:
    state = SETTLED._replace(listeners=[listener])
    assert list(refusals.of_the_set(transition(state), Consent())) == [said]


def test_a_host_that_cannot_be_written_to_is_refused_before_anything_is_done() -> None:
    (said,) = refusals.of_the_host(SETTLED._replace(read_only=["/etc/xray"]), HERE, Consent())
    assert said.startswith("the host can only read /etc/xray: ")


# Damage


@pytest.mark.parametrize("active", ["active", "failed"])
def test_a_damaged_core_is_sent_again(active: str) -> None:
    told = planned(SETTLED._replace(releases=[], active=active))
    assert told.order
    assert told.order.core["upload"]
    assert told.order.how == (order.FILES if active == "active" else order.RESTART)
    damaged = "~ the core's files: they are damaged or missing, and are installed again"
    assert damaged in told.lines


def test_another_program_in_the_cores_place_is_replaced_and_restarted() -> None:
    told = planned(SETTLED._replace(releases=[], started_core=""))
    assert told.order
    assert (told.order.how, bool(told.order.core["upload"])) == (order.RESTART, True)


# What changes in a config


def changed(**fields: Any) -> Plan:
    """Return the plan of a host whose inbound ``ws`` gets other *fields*."""
    inbounds = tuple(replace(i, **fields) if i.name == "ws" else i for i in sample.INBOUNDS)
    ours = sample.fleet(sample.host(inbounds=inbounds), core=CORE)
    state = SETTLED._replace(started_settings=settings.of(dict(want(fleet()).config)))
    return plan(Transition(ours, ours.hosts[0], state, want(ours)), HERE)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"port": 2054}, "inbounds.ws.port: 2053 -> 2054"),
        ({"path": "/v2"}, "inbounds.ws.streamSettings.wsSettings.path: /ws -> /v2"),
    ],
)
def test_a_plan_says_which_setting_changes_and_that_links_change(
    fields: dict[str, Any], said: str
) -> None:
    told = changed(**fields).lines
    assert told[-1] == f"the core is restarted: {said}"
    assert "~ links to ws: the old ones stop working, so make new ones" in told


def test_an_inbound_that_comes_or_goes_is_named_once() -> None:
    ours, other = (settings.of(dict(want(fleet()).config)) for _ in range(2))
    fewer = {field: held for field, held in other.items() if not field.startswith("inbounds.ws.")}
    assert changed_settings(fewer, ours) == ["inbounds.ws is new"]
    assert changed_settings(ours, fewer) == ["inbounds.ws goes"]


def test_more_settings_than_can_be_read_are_a_number() -> None:
    was = {f"policy.levels.{number}.handshake": "1" for number in range(20)}
    told = changed_settings(was, dict.fromkeys(was, "2"))
    assert len(told) == 7
    assert told[-1] == "and 14 more settings"


def test_a_server_name_that_links_hold_ends_them_and_one_more_does_not() -> None:
    field = "inbounds.reality.streamSettings.realitySettings.serverNames"
    one, two = {field: '["a"]'}, {field: '["a", "b"]'}
    assert redialled_inbounds(one, two) == []
    assert redialled_inbounds(two, one) == ["reality"]


def test_no_secret_is_in_the_shape_of_a_config() -> None:
    ours = fleet()
    held = sample.secrets(ours)
    config = dict(wanted(ours, ours.hosts[0], held, "x86_64", []).config)
    config["outbounds"] = [
        *config["outbounds"],
        {"tag": "warp", "settings": {"secretKey": "S1", "peers": [{"preSharedKey": "S2"}]}},
        {"tag": "socks", "settings": {"servers": [{"users": [{"user": "S3", "pass": "S4"}]}]}},
        {"tag": "vless", "settings": {"vnext": [{"users": [{"id": "S5", "encryption": "S6"}]}]}},
    ]
    config["inbounds"][0]["settings"]["decryption"] = "S7"
    told = settings.of(config)
    secrets = {f"S{number}" for number in range(1, 8)}
    secrets |= {held.inbounds["ams", "reality"].private_key}
    secrets |= set(held.inbounds["ams", "reality"].short_ids)
    assert not [secret for secret in secrets if f'"{secret}"' in str(told.values())]


def test_a_first_core_is_installed_and_not_restarted() -> None:
    assert lines(HostState())[-1] == "the core is installed and started"
    assert lines(DOWN)[-1].startswith("the core is restarted: ")
