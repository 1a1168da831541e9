"""What each rule finds, and that good configs break none."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from ops.config.lint import ERROR, NOTE, RULES, WARNING, Around, judge, read, version_of
from ops.config.lint.certificate import ends
from tests import configs
from tests.configs import ours

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def good(tmp_path: Path) -> dict[str, Any]:
    return configs.rendered(tmp_path)


@pytest.fixture
def with_inbound(tmp_path: Path) -> dict[str, Any]:
    return configs.rendered(tmp_path, api="inbound")


def found(data: dict[str, Any], around: Around | None = None, least: int = WARNING) -> list[str]:
    """Return the codes of what is found, notes left out."""
    hits = judge(copy.deepcopy(data), around or ours())
    severities = [(r.code, r.severity if h.severity is None else h.severity) for r, h in hits]
    return sorted({code for code, severity in severities if severity >= least})


def test_what_we_render_is_right(good: dict[str, Any], with_inbound: dict[str, Any]) -> None:
    assert found(good) == []
    assert found(with_inbound) == []


def test_and_is_for_an_old_core(tmp_path: Path) -> None:
    old = configs.rendered(tmp_path, "inbound", "26.3.27")
    assert found(old, ours("26.3.27")) == []


def users(config: dict[str, Any], inbound: int = 0) -> list[dict[str, Any]]:
    clients: list[dict[str, Any]] = config["inbounds"][inbound]["settings"]["clients"]
    return clients


def reality(config: dict[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = config["inbounds"][0]["streamSettings"]["realitySettings"]
    return settings


def rules(config: dict[str, Any]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = config["routing"]["rules"]
    return listed


def another(config: dict[str, Any], **more: Any) -> object:
    users(config)[len(users(config)) :] = [users(config)[0] | {"email": "other"} | more]
    return config


def levels(config: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = config["policy"]["levels"]
    return found


UUID = "3f2b1c4d-0000-4000-8000-00000000abcd"
SAME_BUT_THIRD = "3f2b1c4d-0000-4111-8000-00000000abcd"
FREEDOM = {"tag": "out", "protocol": "freedom"}
OPEN = [{"action": "allow"}]

BROKEN: list[tuple[str, Change]] = [
    ("XO102", lambda c: c.pop("stats")),
    ("XO103", lambda c: c.pop("api")),
    ("XO103", lambda c: c["api"].update(services=["HandlerService"])),
    ("XO104", lambda c: c["api"].update(services=["StatService"])),
    ("XO105", lambda c: levels(c)["0"].pop("statsUserDownlink")),
    ("XO105", lambda c: levels(c)["0"].update(statsUserUplink=False)),
    ("XO106", lambda c: c.pop("policy")),
    ("XO106", lambda c: users(c)[0].update(level=1)),
    ("XO107", lambda c: rules(c).insert(0, {"inboundTag": ["reality"], "outboundTag": "api"})),
    ("XO108", lambda c: c["api"].update(listen="0.0.0.0:10085")),
    ("XO108", lambda c: c["api"].update(listen=":10085")),
    ("XO111", lambda c: c["policy"].pop("system")),
    ("XO112", lambda c: c["inbounds"][0].pop("tag")),
    ("XO114", lambda c: c["api"].pop("listen")),
    ("XO115", lambda c: c.update(metrics={"tag": "m", "listen": "0.0.0.0:11111"})),
    ("XO201", lambda c: users(c)[0].pop("email")),
    ("XO202", lambda c: another(c, email="ALICE", id=UUID)),
    ("XO203", lambda c: users(c)[0].update(email="a>>>b")),
    ("XO205", lambda c: another(c)),
    ("XO206", lambda c: (users(c)[0].update(id=UUID), another(c, id=SAME_BUT_THIRD))),
    ("XO207", lambda c: users(c)[0].update(id="hello")),
    ("XO208", lambda c: users(c)[0].update(id="11111111-1111-1111-1111-111111111111")),
    ("XO208", lambda c: users(c, 2)[0].update(password="secret")),
    ("XO305", lambda c: c["outbounds"][0].pop("settings")),
    ("XO301", lambda c: (c["outbounds"][0]["settings"].update(finalRules=OPEN), c.pop("routing"))),
    ("XO302", lambda c: (c["outbounds"][0].update(settings={"finalRules": OPEN}),
                         c["routing"].update(domainStrategy="AsIs"))),
    ("XO304", lambda c: c["outbounds"][0].update(settings={"finalRules": OPEN})),
    ("XO312", lambda c: c["outbounds"][0]["settings"]["finalRules"][0].pop("ip")),
    ("XO306", lambda c: rules(c).append({"domain": ["full:x.test"], "outboundTag": "dirct"})),
    ("XO307", lambda c: rules(c).append({"ip": ["127.0.0.1"], "outboundTag": "direct"})),
    ("XO307", lambda c: rules(c).extend({"port": port, "outboundTag": "direct"}
                                        for port in ("80-90", 85))),
    ("XO308", lambda c: rules(c)[0].update(inboundTag=["realty"])),
    ("XO309", lambda c: rules(c).append({"user": ["Alice"], "outboundTag": "block"})),
    ("XO310", lambda c: c.pop("outbounds")),
    ("XO311", lambda c: c["inbounds"].append({"port": 1080, "protocol": "socks", "tag": "s"})),
    ("XO401", lambda c: c["inbounds"][1].update(port=443)),
    ("XO401", lambda c: c["inbounds"][1].update(port="400-500", listen="127.0.0.1")),
    ("XO402", lambda c: users(c, 1)[0].update(flow="xtls-rprx-vision")),
    ("XO403", lambda c: c["inbounds"][1].pop("streamSettings")),
    ("XO404", lambda c: c["inbounds"][1]["streamSettings"].update(network="tcp")),
    ("XO405", lambda c: c["inbounds"][0]["settings"].update(users=[{"id": UUID, "email": "x"}])),
    ("XO501", lambda c: reality(c).pop("privateKey")),
    ("XO502", lambda c: reality(c)["shortIds"].append("")),
    ("XO506", lambda c: reality(c).update(serverNames=["www.apple.com"])),
    ("XO511", lambda c: c["inbounds"][1]["streamSettings"].pop("tlsSettings")),
    ("XO512", lambda c: c["inbounds"][1]["streamSettings"]["tlsSettings"]["certificates"][0]
                        .pop("keyFile")),
    ("XO601", lambda c: c["log"].update(access="/var/log/xray/access.log")),
    ("XO604", lambda c: reality(c).update(masterKeyLog="/tmp/keys")),
    ("XO701", lambda c: levels(c)["0"].update(statUserUplink=True)),
    ("XO701", lambda c: c.update(inbound_s=[])),
    ("XO702", lambda c: c.update(Stats={})),
    ("XO704", lambda c: c["inbounds"][0]["settings"].update(fallback={})),
    ("XO705", lambda c: c["inbounds"][1]["streamSettings"].update(network="h2")),
    ("XO705", lambda c: c["inbounds"][1]["streamSettings"].update(security="xtls")),
]  # fmt: skip


@pytest.mark.parametrize(("code", "change"), BROKEN, ids=[code for code, _ in BROKEN])
def test_a_rule_finds_what_it_is_about(good: dict[str, Any], code: str, change: Change) -> None:
    change(good)
    assert code in found(good)


BROKEN_WITH_INBOUND: list[tuple[str, Change]] = [
    ("XO101", lambda c: rules(c).pop(0)),
    ("XO101", lambda c: rules(c)[0].update(outboundTag="direct")),
    ("XO108", lambda c: c["inbounds"][-1].pop("listen")),
    ("XO109", lambda c: rules(c).append(rules(c).pop(0))),
    ("XO107", lambda c: c["api"].update(listen="127.0.0.1:1")),
]


@pytest.mark.parametrize(("code", "change"), BROKEN_WITH_INBOUND)
def test_so_does_one_about_the_apis_inbound(
    with_inbound: dict[str, Any], code: str, change: Change
) -> None:
    change(with_inbound)
    assert code in found(with_inbound)


def test_the_first_described_config_lacks_the_rule_and_the_linter_names_it() -> None:
    hits = judge(read("first", configs.FIRST.encode()).data, Around())
    [(rule, hit)] = [(rule, hit) for rule, hit in hits if rule.code == "XO101"]
    assert rule.severity == ERROR
    assert hit.path == ("inbounds", 1)
    assert "would call itself in an endless loop, and every figure stays 0" in hit.message
    assert '"inboundTag": ["api"], "outboundTag": "api"' in hit.remedy


@pytest.mark.parametrize(
    ("version", "code", "change"),
    [
        ("26.3.27", "XO113", lambda c: None),
        ("1.8.0", "XO113", lambda c: c["api"].update(listen="127.0.0.1:1")),
        ("26.3.27", "XO703", lambda c: c.update(env={})),
        ("26.4.1", "XO301", lambda c: rules(c).clear()),
        ("26.3.27", "XO302", lambda c: c["routing"].update(domainStrategy="AsIs")),
        ("26.3.27", "XO304", lambda c: None),
        ("26.7.11", "XO503", lambda c: None),
        (
            "26.7.28",
            "XO705",
            lambda c: c["inbounds"][1].update(
                streamSettings={"network": "kcp", "kcpSettings": {"seed": "x"}}
            ),
        ),
        ("26.7.28", "XO503", lambda c: None),
    ],
)
def test_rules_know_the_cores_version(
    good: dict[str, Any], version: str, code: str, change: Change
) -> None:
    change(good)
    assert code in found(good, ours(version))


@pytest.mark.parametrize(
    ("version", "code"), [("26.7.29", "XO503"), ("26.7.10", "XO503"), ("26.5.3", "XO113")]
)
def test_and_where_they_end(good: dict[str, Any], version: str, code: str) -> None:
    assert code not in found(good, ours(version), NOTE)


@pytest.mark.parametrize(
    ("code", "version"), [("XO303", "26.3.27"), ("XO504", "26.10.10"), ("XO509", "26.10.10")]
)
def test_notes_are_no_warnings(good: dict[str, Any], code: str, version: str) -> None:
    good["inbounds"][0]["port"] = 8443
    assert code in found(good, ours(version), NOTE)
    assert code not in found(good, ours(version), WARNING)


def test_vision_is_not_live_where_the_host_is_spliced(good: dict[str, Any]) -> None:
    assert "XO110" in found(good, ours(live=False), NOTE)
    good["env"] = {"XRAY_BUF_SPLICE": "disable"}
    assert "XO110" not in found(good, ours(live=False), NOTE)


def test_a_client_is_asked_for_no_statistics() -> None:
    client = {
        "inbounds": [{"listen": "127.0.0.1", "port": 1080, "protocol": "socks"}],
        "outbounds": [{"protocol": "vless", "settings": {"vnext": []}}],
    }
    assert found(client, Around(), NOTE) == []


def test_a_server_that_wants_no_statistics_gets_one_note() -> None:
    server = {
        "inbounds": [
            {"listen": "127.0.0.1", "port": 80, "protocol": "vless", "settings": {
                "clients": [{"id": UUID}], "decryption": "none"}}
        ],
        "outbounds": [FREEDOM],
    }  # fmt: skip
    assert found(server, Around(), NOTE) == ["XO102"]


def test_keys_are_taken_in_any_case(good: dict[str, Any]) -> None:
    shouted = {name.upper(): value for name, value in good.items()}
    assert found(shouted) == []


def test_a_misspelt_key_is_named_with_the_right_one(good: dict[str, Any]) -> None:
    levels(good)["0"]["statUserUplink"] = levels(good)["0"].pop("statsUserUplink")
    hits = {rule.code: hit for rule, hit in judge(good, ours())}
    assert hits["XO701"].remedy == "did you mean 'statsUserUplink'?"
    assert hits["XO701"].path == ("policy", "levels", "0", "statUserUplink")
    assert "leaves out statsUserUplink" in hits["XO105"].message


def test_a_key_in_the_wrong_place_is_sent_home() -> None:
    data: dict[str, Any] = {"outbounds": [FREEDOM | {"tlsSettings": {}}]}
    [remedy] = [hit.remedy for rule, hit in judge(data, Around()) if rule.code == "XO701"]
    assert remedy == "it belongs in streamSettings"


def test_links_that_imitate_a_refused_browser_are_found(good: dict[str, Any]) -> None:
    assert found(good, ours(fingerprints={"reality": "firefox"})) == []
    assert found(good, ours(fingerprints={"reality": "ios"})) == ["XO505"]
    assert found(good, ours("26.7.28", fingerprints={"reality": "ios"})) == ["XO503"]


def test_a_strangers_expression_cannot_hold_it_up(good: dict[str, Any]) -> None:
    users(good)[0]["email"] = "a" * 60
    rules(good).append({"user": ["regexp:^(a+)+!$"], "outboundTag": "block"})
    assert found(good) == []


def test_no_finding_repeats_a_secret(good: dict[str, Any]) -> None:
    secrets = {users(good)[0]["id"], users(good, 2)[0]["password"], reality(good)["privateKey"]}
    for _, change in BROKEN:
        data = copy.deepcopy(good)
        change(data)
        said = json.dumps([(h.message, h.remedy) for _, h in judge(data, ours())])
        assert not any(secret in said for secret in secrets)


CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIHYMIGLoAMCAQICAQcwBQYDK2VwMBYxFDASBgNVBAMMC2V4YW1wbGUuY29tMB4X
DTI2MDEwMTAwMDAwMFoXDTI2MTIwMTAwMDAwMFowFjEUMBIGA1UEAwwLZXhhbXBs
ZS5jb20wKjAFBgMrZXADIQDUhBNRzh+IQWfbbM6f6Kcfd8bfjWdl3wCaHj4mflKV
bTAFBgMrZXADQQBvqEGvA6ok+kJZYVAlnMYrqS9pFn+PzLSGkrXoNkcTEIC1gCyQ
KvXSrKKoLyRJccEPuIOzEszFohO7uZvfpUwK
-----END CERTIFICATE-----"""


@pytest.mark.parametrize(
    ("today", "codes"),
    [(date(2026, 6, 1), set()), (date(2026, 11, 20), {"XO508"}), (date(2026, 12, 2), {"XO507"})],
)
def test_certificates_end(good: dict[str, Any], today: date, codes: set[str]) -> None:
    good["inbounds"][1]["streamSettings"]["tlsSettings"]["certificates"] = [
        {"certificate": CERTIFICATE.splitlines(), "keyFile": "x"}
    ]
    assert set(found(good, ours(today=today))) == codes


def test_a_certificates_end_is_its_own_not_after() -> None:
    assert ends(CERTIFICATE) == datetime(2026, 12, 1, tzinfo=UTC)
    assert ends("nothing") is None
    assert ends(CERTIFICATE[:80] + CERTIFICATE[-26:]) is None


def test_names_from_data_files_need_the_files() -> None:
    data = {"outbounds": [FREEDOM], "routing": {"rules": [
        {"ip": ["geoip:private"], "outboundTag": "out"}]}}  # fmt: skip
    assert found(data, Around()) == ["XO602"]
    assert found(data, Around(data_files=True)) == []


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_is_told_in_sentences(rule: Any) -> None:
    assert rule.sentence.endswith(".")
    assert rule.why.endswith(".")
    assert rule.remedy
    assert not rule.remedy.endswith(".")
    assert rule.code[:2] == "XO"


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [[]], [None], {"": None}, [{"a": [{}]}]])
def test_no_shape_of_a_config_is_too_odd(good: dict[str, Any], value: Any) -> None:
    for name in good:
        judge(good | {name: value}, ours())
        for inner in good[name] if isinstance(good[name], dict) else ():
            judge(good | {name: good[name] | {inner: value}}, ours())
    for inbound in good["inbounds"]:
        for name in ("settings", "streamSettings", "port", "listen", "tag", "sniffing"):
            judge(good | {"inbounds": [inbound | {name: value}]}, ours())
    assert version_of("1.2.3") == (1, 2, 3)
