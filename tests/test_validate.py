"""``ops validate``: what people type, what it answers, and what it withstands."""

import json
import re
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from click.testing import CliRunner, Result

from ops.cli import cli
from ops.config.core import keep
from ops.config.core.pin import pin
from ops.config.lint import RULES
from ops.config.validation import Options, validate_fleet
from ops.fleet.inventory import load
from ops.fleet.secrets.fill import fill
from tests import configs, fleets

CONFIG = json.dumps({"inbounds": [], "outbounds": [{"protocol": "freedom", "tag": "direct"}]})


@pytest.fixture(autouse=True)
def nothing_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No core is cached or installed, whatever this machine has."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "/usr/sbin:/sbin")
    monkeypatch.delenv("XRAY_LOCATION_ASSET", raising=False)
    yield
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = fleets.write(tmp_path / "fleet")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def cached(fleet: Path, core: Path, tmp_path: Path) -> Path:
    """The fleet pins the core, and its release is in the cache."""
    release = tmp_path / "Xray-linux-64.zip"
    with zipfile.ZipFile(release, "w") as file:
        file.write(core, "xray")
    pin(fleet, "26.10.10", {"x86_64": keep(release)})
    return fleet


def validate(*words: str | Path, stdin: bytes | None = None) -> Result:
    said = ["validate", *map(str, words)]
    return CliRunner().invoke(cli, said, input=stdin, catch_exceptions=False)


def answer(*words: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(validate(*words, "--format", "json").stdout)
    return found


def codes(*words: str | Path, least: str = "warning") -> set[str]:
    wanted = {"note", "warning", "error"} - ({"note"} if least == "warning" else set())
    return {f["code"] for f in answer(*words)["findings"] if f["severity"] in wanted}


def write(folder: Path, name: str, content: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def test_a_clean_clone_is_right_without_a_secret(cached: Path) -> None:
    result = validate("--require-core", "--strict")
    assert result.exit_code == 0
    last = result.stdout.splitlines()[-1]
    assert last.startswith("2 hosts, tested by core 26.10.10, the pinned one: 0 errors, 0 warnings")
    assert "placeholders replace" in result.stdout
    message = "not tested, because these files are on the hosts only: the certificate"
    assert f"{message} /etc/xray/tls/trojan.crt" in result.stdout


def test_a_second_time_unpacks_nothing(cached: Path, tmp_path: Path) -> None:
    validate()
    [program] = (tmp_path / "cache" / "xray-ops" / "core").glob("*/xray")
    before = program.stat().st_mtime_ns
    validate()
    assert program.stat().st_mtime_ns == before


def test_without_a_core_it_says_so(fleet: Path) -> None:
    assert codes() == {"XO003"}
    assert validate().exit_code == 0
    assert "tested by no core" in validate().stdout
    assert validate("--require-core").exit_code == 1
    assert validate("--strict").exit_code == 1


def test_another_core_than_the_pinned_one_is_named(fleet: Path, core: Path) -> None:
    result = validate("--core", core)
    assert (result.exit_code, "XO004" in result.stdout) == (0, True)
    assert "26.10.10 (the same version, but not from the pinned release)" in result.stdout
    assert validate("--core", core, "--require-core").exit_code == 1


def test_the_pinned_program_by_another_path_is_the_pinned_one(cached: Path, core: Path) -> None:
    assert answer("--core", core)["core"]["is_pinned"]


def test_a_program_that_is_no_core_is_refused(fleet: Path) -> None:
    result = validate("--core", "/bin/false")
    assert result.exit_code == 1
    assert "/bin/false does not run here" in result.stderr


def test_secrets_that_are_needed_have_to_be_there(cached: Path) -> None:
    result = validate("--require-secrets")
    assert (result.exit_code, "XO006" in result.stdout) == (1, True)
    CliRunner().invoke(cli, ["secrets", "fill"], catch_exceptions=False)
    result = validate("--require-secrets")
    assert result.exit_code == 0
    assert "placeholders" not in result.stdout


def test_encrypted_secrets_stay_closed_unless_needed(cached: Path) -> None:
    (cached / "inventory" / "secrets.toml.age").write_bytes(b"not looked at")
    result = validate()
    assert result.exit_code == 0
    assert "only --require-secrets opens them" in result.stdout


def test_what_the_core_refuses_is_told_at_its_line_without_the_secret(cached: Path) -> None:
    key = "A" * 42 + "!"
    CliRunner().invoke(cli, ["secrets", "fill"], catch_exceptions=False)
    template = write(cached, "templates/inbounds/vless-raw-reality.json.j2", "")
    ours = Path(__file__).parent.parent / template.relative_to(cached)
    template.write_text(ours.read_text().replace("{{ private_key | tojson }}", f'"{key}"'))
    result = validate("--host", "fra1")
    line = [*(cached / "inventory" / "hosts.toml").read_text().splitlines()].index(
        "[inbounds.reality]"
    )
    assert result.exit_code == 1
    assert f"inventory/hosts.toml:{line + 1}: error XO001: " in result.stdout
    assert 'invalid "privateKey": ...' in result.stdout
    assert "inbounds[0].streamSettings.realitySettings.privateKey" in result.stdout
    assert key not in result.stdout


def test_a_finding_leads_to_the_field_that_it_came_from(tmp_path: Path) -> None:
    hosts = fleets.HOSTS.replace('"www.example.com:443"', '"www.apple.com:443"')
    folder = fleets.write(tmp_path / "f", hosts=hosts)
    [finding] = [f for f in answer("--fleet", folder)["findings"] if f["code"] == "XO506"]
    lines = (folder / "inventory" / "hosts.toml").read_text().splitlines()
    assert lines[finding["line"] - 1] in ('target = "www.apple.com:443"', "[inbounds.reality]")
    assert finding["subjects"] == ["ams1", "fra1"]


WATCHED = fleets.HOSTS.replace('"www.example.com:443"', '"www.apple.com:443"')


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        ('ignore = { XO506 = "a test site" }', {"XO003", "XO506"}),  # the other host's is left
        ('ignore = { XO401 = "no such thing here" }', {"XO003", "XO506", "XO007"}),
        ('[hosts.fra1.ignore]\nXO506 = "because"', {"XO003", "XO506"}),
    ],
)
def test_a_host_accepts_a_finding_with_a_reason(
    tmp_path: Path, ignore: str, left: set[str]
) -> None:
    folder = fleets.write(tmp_path / "f", hosts=WATCHED, more=ignore + "\n")
    assert codes("--fleet", folder) == left
    if "XO506" in ignore:
        assert answer("--fleet", folder)["ignored"] == 1
        assert "XO506" not in codes("--fleet", folder, "--host", "fra1")


@pytest.mark.parametrize(
    ("ignore", "said"),
    [
        ('{ XO506 = "" }', "say why, in a few words"),
        ('{ xo506 = "why" }', "a rule's code is XO and three digits"),
        ('["XO506"]', "ignore must be a table"),
    ],
)
def test_ignoring_without_a_reason_is_refused(tmp_path: Path, ignore: str, said: str) -> None:
    folder = fleets.write(tmp_path / "f", more=f"ignore = {ignore}\n")
    result = validate("--fleet", folder)
    assert result.exit_code == 1
    assert said in result.stderr


def test_explain_says_all_about_a_rule(fleet: Path) -> None:
    said = validate("--explain", "XO101").stdout
    assert "every figure stays 0" in said
    assert said == validate("--explain", "api-without-route").stdout
    result = validate("--explain", "XO999")
    assert result.exit_code == 2
    assert "unknown rule 'XO999'" in result.stderr


def test_the_first_described_config_is_refused_with_the_missing_rule(
    tmp_path: Path, core: Path
) -> None:
    file = write(tmp_path, "config.json", configs.FIRST)
    result = validate(file, "--core", core)
    assert result.exit_code == 1
    assert f"{file}:10: error XO101: inbound 'api' has no routing rule to 'api'" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("1 config, tested by core 26.10.10: 1 error,")


def test_the_formats_say_the_same(tmp_path: Path) -> None:
    file = write(tmp_path, "config.json", configs.FIRST)
    found = answer(file)
    assert found["errors"] == 1
    [error] = [f for f in found["findings"] if f["severity"] == "error"]
    assert error["path"] == ["inbounds", 1]
    github = validate(file, "--format", "github").stdout
    assert f"::error file={file},line=10,title=XO101 api-without-route::inbound 'api'" in github
    sarif = json.loads(validate(file, "--format", "sarif").stdout)
    [run] = sarif["runs"]
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} >= {"XO101"}
    [result] = [one for one in run["results"] if one["ruleId"] == "XO101"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 10}
    assert result["level"] == "error"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "XO101"


def test_problems_of_the_inventory_are_findings_to_programs(fleet: Path) -> None:
    (fleet / "inventory" / "keys.toml").write_text("[keys.alice]\nopen = []\n")
    result = validate("--format", "github")
    assert result.exit_code == 1
    assert "::error file=inventory/keys.toml,line=2,title=XO009 inventory-wrong" in result.stdout


def test_stdin_is_a_config_too(core: Path) -> None:
    result = validate("-", "--core", core, stdin=CONFIG.encode())
    assert result.exit_code == 0
    assert "stdin" in validate("-", stdin=b"{").stdout


def test_several_files_are_one_config_to_the_core_and_the_rules(tmp_path: Path, core: Path) -> None:
    write(tmp_path, "0.json", configs.FIRST)
    rule = {"inboundTag": ["api"], "outboundTag": "api"}
    write(tmp_path, "1.json", json.dumps({"routing": {"rules": [rule]}}))
    words = (tmp_path / "0.json", tmp_path / "1.json", "--core", core)
    assert "XO101" not in codes(*words)
    write(tmp_path, "1.json", json.dumps({"routing": {"rules": [{"outboundTag": "api"}]}}))
    [refusal] = [f for f in answer(*words)["findings"] if f["code"] == "XO001"]
    assert refusal["file"] == str(tmp_path / "1.json")


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_is_not_there_is_a_usage_error(name: str) -> None:
    assert validate(name).exit_code == 2


def test_a_configs_text_plays_no_tricks_on_a_terminal(tmp_path: Path) -> None:
    tag = "\x1b[2J\n::error::"
    data = {"inbounds": [{"tag": tag, "protocol": "socks", "port": 1}], "outbounds": [], tag: 1}
    file = write(tmp_path, "c.json", json.dumps(data))
    for form in ("text", "github"):
        said = validate(file, "--format", form).stdout
        assert "\x1b" not in said
        assert not [line for line in said.splitlines() if line.startswith("::error::")]


def test_files_and_hosts_do_not_mix(tmp_path: Path) -> None:
    assert validate(write(tmp_path, "c", CONFIG), "--host", "a").exit_code == 2


STREAMS: list[dict[str, Any]] = [
    {"network": "h2"},
    {"network": "quic"},
    {"security": "xtls"},
    {"security": "tls", "tlsSettings": {"allowInsecure": True}},
    {"security": "reality", "realitySettings": {"target": "a.test:443"}},
    {"network": "kcp", "kcpSettings": {"seed": "x", "header": {"type": "none"}}},
]


@pytest.mark.parametrize("stream", STREAMS)
def test_what_the_rules_call_gone_the_core_refuses(
    tmp_path: Path, core: Path, stream: dict[str, Any]
) -> None:
    inbound = {"port": 1, "protocol": "vless", "settings": {"decryption": "none"}}
    data = {"inbounds": [inbound | {"streamSettings": stream}], "outbounds": []}
    found = codes(write(tmp_path, "c.json", json.dumps(data)), "--core", core)
    assert bool(found & {"XO705", "XO501"}) == ("XO001" in found)


GEO = """{"outbounds": [{"tag": "direct", "protocol": "freedom"}], "routing": {"rules": [
  {"ip": ["geoip:cn", "geoip:!ir", "ext:mine.dat:a"], "outboundTag": "direct"},
  {"domain": ["geosite:google@ads", "ext:names.dat:b@c"], "outboundTag": "direct"},
  {"domain": [%s], "outboundTag": "direct"}]}}"""


def test_data_files_that_are_not_here_are_stood_in_for(tmp_path: Path, core: Path) -> None:
    right = write(tmp_path, "a.json", GEO % '"geosite:x"')
    assert codes(right, "--core", core, least="note") == {"XO005", "XO602"}
    wrong = write(tmp_path, "b.json", GEO % '"regexp:("')
    assert "XO001" in codes(wrong, "--core", core)


def test_no_log_is_opened_and_nothing_is_left(tmp_path: Path, core: Path) -> None:
    log = tmp_path / "log"
    data = json.loads(CONFIG) | {"log": {"access": f"{log}/a", "error": f"{log}/e"}}
    assert codes(write(tmp_path, "c.json", json.dumps(data)), "--core", core) == set()
    assert not log.exists()


LOOPS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{}"
GROWS = "{{ 'x' * 4000000000 }}"
ITSELF = "{% include 'xray.json.j2' %}"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (LOOPS, "took more than 0.3 s: a template loops"),
        (GROWS, "took more than a GiB of memory"),
        (ITSELF, "RecursionError"),
        ("{", "is not JSON"),
        ("{{ nothing }}", "undefined"),
    ],
)
def test_a_template_cannot_hold_it_up(fleet: Path, template: str, said: str) -> None:
    write(fleet, "templates/xray.json.j2", template)
    read = load(fleet)
    began = time.monotonic()
    options = Options(without_core=True, seconds=0.3)
    report = validate_fleet(read, [read.host("fra1")], options)
    assert report.failed()
    assert said in report.findings[0].message
    assert time.monotonic() - began < 10


def test_links_out_of_the_folder_are_refused_unread(fleet: Path) -> None:
    (fleet / "templates").mkdir()
    (fleet / "templates" / "xray.json.j2").symlink_to("/etc/passwd")
    (fleet / "templates" / "inbounds").symlink_to("/etc")
    result = validate("--host", "fra1")
    assert result.exit_code == 1
    problem = "error XO009: it is a link to"
    place = f"templates/xray.json.j2: {problem} /etc/passwd, outside the fleet's folder"
    assert place in result.stdout
    assert f"templates/inbounds: {problem} /etc," in result.stdout


def test_a_file_of_100_mb_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "big.json"
    with file.open("wb") as sparse:
        sparse.truncate(100 << 20)
    began = time.monotonic()
    result = validate(file)
    assert (result.exit_code, "over 32 MiB" in result.stdout) == (1, True)
    assert time.monotonic() - began < 5


def test_many_hosts_are_judged_by_several_processes(tmp_path: Path) -> None:
    more = "".join(
        f'[hosts.h{n:02}]\naddress = ["h{n:02}.example.net"]\nssh_hostname = "10.9.0.{n}"\n'
        for n in range(1, 31)
    )
    folder = fleets.write(tmp_path / "f", hosts=WATCHED, more=more)
    found = answer("--fleet", folder)
    assert len(found["subjects"]) == 32
    [shared] = [f for f in found["findings"] if f["code"] == "XO506"]
    assert len(shared["subjects"]) == 32


def test_people_see_who_else_is_concerned(tmp_path: Path) -> None:
    folder = fleets.write(tmp_path / "f", hosts=WATCHED)
    assert "(ams1 and 1 more host, inbounds[0]" in validate("--fleet", folder).stdout


def test_a_template_that_changes_the_transport_is_found_where_links_die(cached: Path) -> None:
    """The core starts and is healthy; only the links say otherwise."""
    template = write(cached, "templates/inbounds/vless-ws-tls.json.j2", "")
    ours = (Path(__file__).parent.parent / template.relative_to(cached)).read_text()
    template.write_text(
        ours.replace('"network": "ws"', '"network": "xhttp"').replace("wsSettings", "xhttpSettings")
    )
    result = validate("--host", "ams1")
    assert result.exit_code == 1
    assert "error XO010: ws: links say network 'ws', and the config has 'xhttp'" in result.stdout
    template.write_text(ours)
    assert validate("--host", "ams1").exit_code == 0


UNTAGGED = {"listen": "127.0.0.1", "protocol": "vless"}


def untagged(port: object, **user: str) -> dict[str, Any]:
    users = [{"id": "3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d", "email": f"user{port}"}]
    settings = {"clients": [*users, *([user] if user else [])], "decryption": "none"}
    return UNTAGGED | {"port": port, "settings": settings}


OFFENDERS: list[tuple[dict[str, Any], list[Any]]] = [
    (untagged(2, id="x" * 40, email="x"), ["inbounds", 1, "settings", "clients", 1, "id"]),
    (untagged(2) | {"streamSettings": {"security": "nope"}},
     ["inbounds", 1, "streamSettings", "security"]),
    (untagged(2) | {"streamSettings": {"network": "nope"}},
     ["inbounds", 1, "streamSettings", "network"]),
    (untagged(2) | {"settings": {"clients": []}}, ["inbounds", 1, "settings"]),
    (untagged("env:NO_SUCH_PORT"), ["inbounds", 1, "port"]),
    (untagged(2, id="3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5e", email="USER2"),
     ["inbounds", 1, "settings", "clients", 1, "email"]),
]  # fmt: skip


@pytest.mark.parametrize(("offender", "path"), OFFENDERS, ids=[str(p) for _, p in OFFENDERS])
def test_what_the_core_refuses_is_blamed_on_the_offender_though_it_has_no_tag(
    tmp_path: Path, core: Path, offender: dict[str, Any], path: list[Any]
) -> None:
    data = {"inbounds": [untagged(1), offender, untagged(3)]}
    data |= {"outbounds": [{"protocol": "freedom"}]}
    file = write(tmp_path, "config.json", json.dumps(data, indent=1))
    found = answer(file, "--core", core)["findings"]
    [refused] = [one for one in found if one["code"] == "XO001"]
    assert refused["path"] == path


@pytest.mark.parametrize("text", ['"inbounds": []', "[]", '{"log": {}} more'])
def test_what_is_said_of_a_file_is_what_the_core_does_with_it(
    tmp_path: Path, core: Path, text: str
) -> None:
    file = write(tmp_path, "config.json", text)
    done = subprocess.run([core, "run", "-test", "-c", file], capture_output=True, check=False)
    [said] = [one["message"] for one in answer(file)["findings"] if one["code"] == "XO002"]
    assert ("Xray ignores" in said) == (done.returncode == 0)


BOTH_WAYS = {"statsUserUplink": True, "statsUserDownlink": True}
COUNTS = {
    "stats": {},
    "api": {"tag": "api", "services": ["StatsService"]},
    "policy": {"levels": {"0": BOTH_WAYS}},
}
GRADED: list[tuple[str, dict[str, Any]]] = [
    ("XO102", {name: value for name, value in COUNTS.items() if name != "stats"}),
    ("XO103", COUNTS | {"api": {"tag": "api", "services": []}}),
    ("XO105", COUNTS | {"policy": {"levels": {"0": {"statsUserUplink": True}}}}),
    ("XO106", COUNTS | {"policy": {"levels": {"1": {"statsUserUplink": True}}}}),
    ("XO201", COUNTS),
    ("XO311", {}),
]


@pytest.mark.parametrize(("code", "more"), GRADED, ids=[code for code, _ in GRADED])
def test_a_finding_in_a_file_is_as_grave_as_the_page_of_the_rules_says(
    tmp_path: Path, code: str, more: dict[str, Any]
) -> None:
    nameless = untagged(1, id="3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5e")
    socks = {"port": 1080, "protocol": "socks"}
    data = more | {"inbounds": [socks] if code == "XO311" else [nameless]}
    data |= {"outbounds": [{"protocol": "freedom"}]}
    file = write(tmp_path, "config.json", json.dumps(data))
    result = validate(file, "--no-core", "--format", "json")
    graded = {one["code"]: one["severity"] for one in json.loads(result.stdout)["findings"]}
    assert graded[code] == str(RULES[code].severity)
    assert result.exit_code == 1


@pytest.mark.parametrize("name", ["a b.json", "100%.json", "#1?.json", "ключи.json"])
def test_the_places_of_sarif_are_uris(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, name, configs.FIRST)
    said = json.loads(validate(name, "--no-core", "--format", "sarif").stdout)
    [uri] = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in said["runs"][0]["results"]
        if result["ruleId"] == "XO101"
    ]
    assert re.fullmatch(r"[A-Za-z0-9/._~%-]+", uri)
    assert unquote(uri) == name


def test_a_file_in_a_fleet_is_tested_by_the_pinned_core(cached: Path, tmp_path: Path) -> None:
    file = write(tmp_path, "c.json", CONFIG)
    said = validate(file)
    assert "tested by core" in said.stdout
    assert "XO003" not in said.stdout


@pytest.mark.parametrize("file", [False, True])
def test_no_core_on_request_is_a_note_without_advice_to_get_one(
    fleet: Path, tmp_path: Path, file: bool
) -> None:
    words = [write(tmp_path, "c.json", CONFIG)] if file else []
    assert "XO003" not in codes("--no-core", *words)
    said = validate("--no-core", *words).stdout
    assert "note XO003: no core tested this, because of --no-core" in said
    assert "ops core fetch" not in said
    assert "here: " not in said
    assert validate("--no-core", "--require-core", *words).exit_code == 2


def test_missing_secrets_are_advised_by_whether_they_ever_existed(fleet: Path) -> None:
    said = validate("--no-core").stdout
    assert "inventory/secrets.toml is missing: `ops secrets fill` makes it" in said
    assert "colleague" not in said
    fill(load(fleet))
    (fleet / "inventory" / "secrets.toml").unlink()
    said = validate("--no-core").stdout
    assert "get it from a colleague, or `ops secrets recover` reads it back" in said
    assert "fill" not in said
