import json
from dataclasses import replace
from typing import Any

import pytest

from ops.config.render import placeholders, render, users
from ops.config.render.safety import PRIVATE, guarded
from ops.errors import SecretsError
from ops.model import Core, Host, Key, Outbound, Rule, Secrets, Ssh, layout
from ops.model.inbound import VISION
from tests import sample


def rendered(host: Host | None = None, own: tuple[str, ...] = (), **changes: Any) -> dict[str, Any]:
    host = host or sample.host()
    fleet = sample.fleet(host, **changes)
    config: dict[str, Any] = json.loads(render(fleet, host, placeholders(fleet), own))
    return config


def test_the_same_fleet_gives_the_same_bytes() -> None:
    fleet = sample.fleet()
    first, second = (render(fleet, fleet.hosts[0], placeholders(fleet)) for _ in range(2))
    assert first == second
    assert first.endswith("}\n")


def test_counting_is_on_for_users_and_for_the_system() -> None:
    policy = rendered()["policy"]
    assert set(policy["levels"]["0"]) == {
        "statsUserUplink",
        "statsUserDownlink",
        "statsUserOnline",
    }
    assert all(policy["system"].values())
    assert rendered()["stats"] == {}


@pytest.mark.parametrize(("user", "mode"), [("", "0600"), ("root", "0600"), ("admin", "0660")])
def test_the_api_is_a_socket_that_only_its_readers_open(user: str, mode: str) -> None:
    config = rendered(sample.host(ssh=Ssh(user=user)))
    assert config["api"]["listen"] == f"{layout.SOCKET},{mode}"
    assert {inbound["tag"] for inbound in config["inbounds"]} == set(sample.KINDS)


@pytest.mark.parametrize("inbounds", [sample.INBOUNDS, ()])
def test_the_api_inbound_has_its_rule_before_all_others(inbounds: Any) -> None:
    config = rendered(sample.host(api="inbound", inbounds=inbounds))
    assert "listen" not in config["api"]
    door = config["inbounds"][-1]
    assert (door["tag"], door["listen"], door["port"]) == ("api-in", "127.0.0.1", 10085)
    first = {"type": "field", "inboundTag": ["api-in"], "outboundTag": "api"}
    assert config["routing"]["rules"][0] == first


def test_every_inbound_is_tagged_by_its_name_and_holds_the_keys_that_open_it() -> None:
    keys = (Key(name="alice"), Key(name="bob", opens=frozenset({"ams/ws", "all/ss"})))
    config = rendered(keys=keys)
    held = {i["tag"]: [u["email"] for u in i["settings"]["clients"]] for i in config["inbounds"]}
    both = ["alice", "bob"]
    assert held == {kind: ["alice"] for kind in sample.KINDS} | {"ws": both, "ss": both}


def test_a_flow_stands_only_where_the_inbound_has_one() -> None:
    flows = {
        i["tag"]: {user.get("flow") for user in i["settings"]["clients"]}
        for i in rendered()["inbounds"]
    }
    assert flows.pop("reality") == {VISION}
    assert set().union(*flows.values()) == {None}


def test_a_shadowsocks_inbound_that_nobody_opens_takes_users_later() -> None:
    config = rendered(keys=())
    (nobody,) = config["inbounds"][-1]["settings"]["clients"]
    assert nobody["email"] == layout.NOBODY
    rule = {"type": "field", "user": [layout.NOBODY], "outboundTag": "block"}
    assert rule in config["routing"]["rules"]


def test_a_128_bit_method_takes_half_of_each_key() -> None:
    ss = rendered()["inbounds"][-1]["settings"]
    assert {len(ss["password"])} | {len(user["password"]) for user in ss["clients"]} == {24}


def test_hosts_without_ipv6_do_not_ask_for_it() -> None:
    assert {i["listen"] for i in rendered()["inbounds"]} == {"::"}
    anywhere = {"0.0.0.0"}  # noqa: S104
    assert {i["listen"] for i in rendered(sample.host(ipv6=False))["inbounds"]} == anywhere


def test_own_addresses_are_guarded_once_in_order_and_without_the_private_ones() -> None:
    own = ("9.9.9.9", "8.8.4.4", "2a00::1%eth0", "2a00::1/64", "10.1.2.3", "::1", "fe80::1%eth0")
    assert guarded(sample.host(), own).addresses == (
        *PRIVATE,
        "8.8.4.4/32",
        "9.9.9.9/32",
        "2a00::1/128",
    )


def test_a_network_of_passing_addresses_is_guarded_whole() -> None:
    own = ("2a00:1:2:3::/64", "2a00:1:2:3:abcd::1", "fd00::/64")
    assert guarded(sample.host(address=()), own).addresses == (*PRIVATE, "2a00:1:2:3::/64")


def test_ipv4_in_ipv6_is_guarded_as_ipv4() -> None:
    assert guarded(sample.host(address=()), ["::ffff:8.8.8.8"]).addresses[-1] == "8.8.8.8/32"


def test_own_names_are_guarded_but_not_those_a_cdn_may_stand_for() -> None:
    host = sample.host(address=("AMS.example.net", "direct.example.net", "8.8.4.4"))
    assert guarded(host, ()).names == ("full:direct.example.net",)


def test_what_is_guarded_is_blocked_before_and_behind_the_routing() -> None:
    config = rendered(own=("9.9.9.9",))
    rule = config["routing"]["rules"][0]
    assert rule["outboundTag"] == "block"
    assert "9.9.9.9/32" in rule["ip"]
    assert config["outbounds"][0]["settings"]["finalRules"] == [
        {"action": "block", "ip": rule["ip"]}
    ]


@pytest.mark.parametrize(("version", "names"), [("26.5.3", 3), ("26.5.2", 0), ("1.8.24", 0)])
def test_a_core_that_does_not_guard_its_way_out_looks_for_no_names(
    version: str, names: int
) -> None:
    config = rendered(core=Core(version=version))
    assert {len(i["sniffing"]["destOverride"]) for i in config["inbounds"]} == {names}


def test_the_inventorys_own_ways_out_of_the_host_are_guarded_too() -> None:
    v6 = Outbound(name="v6", protocol="freedom", settings={"domainStrategy": "UseIPv6"})
    outbounds = rendered(outbounds=(v6,))["outbounds"]
    assert outbounds[2]["settings"] == outbounds[0]["settings"] | v6.settings


def test_the_inventorys_rules_come_after_the_safety_ones_and_direct_is_the_default() -> None:
    rule = Rule(outbound="exit", domain=("domain:example.org",), port="443", key=("alice",))
    elsewhere = Rule(outbound="block", hosts=frozenset({"fra"}), network="udp")
    exit_ = Outbound(name="exit", protocol="socks", settings={"servers": [{"port": 1}]})
    config = rendered(rules=(rule, elsewhere), outbounds=(exit_,))
    assert [outbound["tag"] for outbound in config["outbounds"]] == ["direct", "block", "exit"]
    assert config["outbounds"][2] == {
        "tag": "exit",
        "protocol": "socks",
        "settings": {"servers": [{"port": 1}]},
    }
    assert config["routing"]["rules"][2:] == [
        {
            "type": "field",
            "domain": ["domain:example.org"],
            "port": "443",
            "user": ["alice", "regexp:^alice~[0-9]+$"],
            "outboundTag": "exit",
        }
    ]


def test_all_missing_secrets_are_named_at_once() -> None:
    fleet = sample.fleet(public_keys={})
    secrets = placeholders(fleet)
    some = Secrets(keys={"alice": secrets.keys["alice"]}, inbounds={})
    with pytest.raises(SecretsError) as caught:
        render(fleet, fleet.hosts[0], some)
    text = str(caught.value)
    assert text.startswith("secrets of ams are missing: ")
    for part in (
        "the REALITY private key of ams/reality",
        "the REALITY short id of ams/xhttp",
        "the PSK of ams/ss",
        "the UUID of bob@example.com, carol",
        "the password of bob@example.com, carol",
        "`ops secrets fill`",
    ):
        assert part in text
    assert "recover" not in text


def test_where_pairs_were_issued_missing_secrets_are_to_be_recovered() -> None:
    fleet = sample.fleet()
    with pytest.raises(SecretsError, match="`ops secrets recover`"):
        render(fleet, fleet.hosts[0], Secrets())


def test_a_long_list_of_keys_is_cut() -> None:
    fleet = sample.fleet(keys=tuple(Key(name=f"k{i}") for i in range(1000)))
    with pytest.raises(SecretsError, match=r"k19 and 980 more"):
        render(fleet, fleet.hosts[0], Secrets())


def test_a_host_without_inbounds_needs_no_secrets() -> None:
    host = sample.host(inbounds=())
    fleet = sample.fleet(host)
    assert json.loads(render(fleet, host, Secrets()))["inbounds"] == []


def test_keys_change_nothing_but_users() -> None:
    few, host = sample.fleet(), sample.host()
    fleets = (few, replace(few, keys=(*few.keys, Key(name="dave"))), replace(few, keys=()))
    configs = [json.loads(render(fleet, host, placeholders(fleet))) for fleet in fleets]
    for config in configs:
        for inbound in config["inbounds"]:
            del inbound["settings"]["clients"]
    assert configs[0] == configs[1] == configs[2]


def test_the_users_of_a_config_do_not_show_what_proves_them() -> None:
    fleet = sample.fleet()
    found = users(render(fleet, fleet.hosts[0], placeholders(fleet)))
    assert len(found) == len(fleet.keys) * len(sample.KINDS)
    assert found[0].id == placeholders(fleet).keys["alice"].uuid
    assert repr(found[0]) == "User('reality', 'alice')"


def test_placeholders_are_the_same_each_time_and_all_different() -> None:
    fleet = sample.fleet()
    made = placeholders(fleet)
    assert made == placeholders(fleet)
    every = [s for k in made.keys.values() for s in (k.uuid, k.password, k.psk)]
    every += [s for i in made.inbounds.values() for s in (i.private_key, i.psk, *i.short_ids)]
    assert len(set(every)) == len(every)
