"""The inventory is read strictly, and says all that is wrong with it at once."""

from pathlib import Path

import pytest
from paramiko import SSHConfig

from ops.errors import FleetError
from ops.fleet.inventory import load, pyinfra_groups
from tests import fleets


def problems(folder: Path) -> list[str]:
    with pytest.raises(FleetError) as caught:
        load(folder)
    return [str(problem).removeprefix(f"{folder}/inventory/") for problem in caught.value.problems]


def problem(folder: Path) -> str:
    (only,) = problems(folder)
    return only


def test_a_host_inherits_from_defaults_then_groups_then_itself(tmp_path: Path) -> None:
    more = """
        [hosts.lon1]
        groups = ["far"]
        accounting = "live"
        [groups.far]
        ssh_user = "admin"
        accounting = "spliced"
    """
    host = load(fleets.write(tmp_path, more=more)).host("lon1")
    assert host.ssh.user == "admin"
    assert host.accounting == "live"
    assert len(host.inbounds) == 4


def test_a_key_opens_hosts_groups_or_single_inbounds(tmp_path: Path) -> None:
    fleet = load(fleets.write(tmp_path))
    ams1 = fleet.host("ams1")
    assert [key.name for key in fleet.keys_on(ams1, ams1.inbound("ws"))] == ["alice", "bob"]
    assert [key.name for key in fleet.keys_on(ams1, ams1.inbound("ss"))] == ["alice"]


def test_a_certificate_is_that_of_the_name_clients_ask_for(tmp_path: Path) -> None:
    inbound = load(fleets.write(tmp_path)).host("ams1").inbound("ws")
    assert inbound.server_name == "ams1.example.net"
    assert inbound.certificate == "/etc/tls/ams1.example.net.crt"


def test_reality_asks_for_its_targets_name_unless_others_are_given(tmp_path: Path) -> None:
    assert load(fleets.write(tmp_path)).host("fra1").inbound("reality").server_names == (
        "www.example.com",
    )


def test_a_host_may_differ_in_one_inbound(tmp_path: Path) -> None:
    more = "[hosts.fra1.overrides.reality]\npublic_port = 8443\n"
    fleet = load(fleets.write(tmp_path, more=more))
    assert fleet.host("fra1").inbound("reality").dialled_port == 8443
    assert fleet.host("ams1").inbound("reality").dialled_port == 443


def test_everything_wrong_is_said_in_one_run_with_its_line(tmp_path: Path) -> None:
    hosts = fleets.HOSTS.replace("port = 2053", 'port = "2053"').replace("path =", "pth =")
    keys = '[keys.alice]\nopens = ["ams"]\n[keys.al1ce]\n[keys.carol]\nquota = 1\n'
    found = "\n".join(problems(fleets.write(tmp_path, hosts, keys)))
    assert 'hosts.toml:17: port must be a whole number, not "2053"' in found
    assert "hosts.toml:18: unknown field 'pth'; did you mean 'path'?" in found
    assert "keys.toml:2: 'alice' opens 'ams'" in found
    assert "keys.toml:3: 'al1ce' looks like 'alice' (line 1)" in found
    assert "keys.toml:5: unknown field 'quota'" in found


def test_what_is_left_out_for_being_wrong_is_not_called_unknown(tmp_path: Path) -> None:
    hosts = fleets.HOSTS.replace('protocol = "trojan"', 'protocol = "torjan"')
    assert "use 'vless', 'trojan' or 'shadowsocks'" in problem(fleets.write(tmp_path, hosts))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[hosts.x1]\ninbounds = ["realty"]', "unknown inbound 'realty'; did you mean 'reality'?"),
        ('[hosts.x1]\ngroups = ["egde"]', "unknown group 'egde'; did you mean 'edge'?"),
        ("[hosts.edge]", "'edge' is a group and a host"),
        ("[hosts.Ams2]", "'Ams2' is not allowed: a host's name has small letters"),
        ("[hosts.amsl]", "'amsl' looks like 'ams1'"),
        ("[hosts.x1]\nssh_port = 70000", "ssh_port = 70000: input should be less than"),
        ("[hosts.x1]\nmaintenance = {why = 'disk'}", "lacks 'until'"),
        ('[hosts.x1]\naddress = ["a:b:c"]\ninbounds = ["ss"]', "neither a name nor an address"),
        ('[hosts.x1]\nssh_hostname = "ams1"\ninbounds = []', "are the same server to ssh"),
        ("[hosts.fra1.overrides.ws]\nport = 1", "'fra1' does not offer 'ws'"),
        ("[hosts.fra1.overrides.reality]\npath = '/x'", "vless-raw-reality does not use path"),
        ("[hosts.ams1.overrides.ss]\nport = 443", "'ss' and 'reality' both listen on port 443"),
        (
            '[hosts.x1]\naddress = ["bücher.example"]',
            'in ASCII this one is "xn--bcher-kva.example"',
        ),
        ('[hosts.x1]\nssh_hostname = "bücher.example"', '"xn--bcher-kva.example"'),
        ("[hosts.x1]\naddress = ['a.net', ' ']", "address: ' ' is not allowed: it is neither"),
        (f'[hosts.x1]\naddress = ["{"x" * 64}.net"]', "neither a name nor an address"),
        ('[hosts.x1]\naddress = ["-a.net"]', "neither a name nor an address"),
        ('[hosts.x1]\njump = "none"', 'ssh takes "none" for no jump host'),
        (
            "[hosts.fra1.overrides.reality]\ntarget = '127.0.0.1:1'",
            "the target '127.0.0.1:1' is an",
        ),
        ("[hosts.ams1.overrides.ws]\npath = '/a%20b'", "no %, ? or #"),
        ("[hosts.ams1.overrides.ws]\nfingerprint = 'crome'", "clients imitate one of chrome, "),
        ('[[rules]]\noutbound = "warp"\nport = "25"', "unknown outbound 'warp'"),
        ('[[rules]]\noutbound = "block"', "a rule without a condition"),
        ('[[rules]]\noutbound = "block"\nkey = ["alise"]', "unknown key 'alise'; did you mean"),
        ('[outbounds.direct]\nprotocol = "freedom"', "'direct' is a reserved name"),
        ('[inbounds.api]\nprotocol = "trojan"\nport = 1', "'api' is the API's own name"),
    ],
)
def test_a_slip_is_named_with_its_remedy(tmp_path: Path, more: str, said: str) -> None:
    assert said in "\n".join(problems(fleets.write(tmp_path, more=more + "\n")))


@pytest.mark.parametrize(
    ("inbound", "said"),
    [
        ('transport = "ws"\nsecurity = "reality"', "the core refuses REALITY over WebSocket"),
        ('transport = "ws"\nsecurity = "tls"\nflow = "xtls-rprx-vision"', "Vision works on raw"),
        ("", "vless without TLS or REALITY is not encrypted"),
        ('security = "reality"', "vless-raw-reality needs target"),
        ('security = "reality"\ntarget = "x:1"\npath = "/"', "vless-raw-reality does not use path"),
        ('security = "reality"\ntarget = "example.com"', 'write "host:port"'),
    ],
)
def test_a_combination_that_cannot_work_is_refused(tmp_path: Path, inbound: str, said: str) -> None:
    more = f'[inbounds.new]\nprotocol = "vless"\nport = 9\n{inbound}\n'
    assert said in "\n".join(problems(fleets.write(tmp_path, more=more)))


def test_two_hosts_in_a_table_twice_is_a_syntax_error_with_its_line(tmp_path: Path) -> None:
    assert "hosts.toml:37: [hosts.ams1] is there twice" in problem(
        fleets.write(tmp_path, more="[hosts.ams1]\n")
    )


def test_what_is_no_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    file = fleets.write(tmp_path) / "inventory" / "keys.toml"
    file.write_bytes(b"[keys.alice]\nnote = '\xff'\n")
    assert "keys.toml:2: is not UTF-8 text" in problem(tmp_path)


def test_a_list_over_several_lines_is_pointed_into(tmp_path: Path) -> None:
    keys = '[keys.alice]\nopens = [\n  "edge",\n  "nowhere",\n]\n'
    assert "keys.toml:4: 'alice' opens 'nowhere'" in problem(fleets.write(tmp_path, keys=keys))


def test_pyinfra_is_given_hosts_and_groups_without_secrets(tmp_path: Path) -> None:
    folder = fleets.write(tmp_path)
    (folder / "inventory" / "known_hosts").touch()
    groups = pyinfra_groups(folder)
    assert [name for name, _ in groups["all"]] == ["ams1", "fra1"]
    assert groups["edge"] == [("ams1", {})]
    assert dict(groups["all"])["ams1"] == {
        "ssh_hostname": "ams1",
        "ssh_user": "root",
        "ssh_known_hosts_file": f"{folder}/inventory/known_hosts",
        "ssh_strict_host_key_checking": "yes",
    }


def test_pyinfra_is_given_nothing_while_the_files_are_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        pyinfra_groups(fleets.write(tmp_path))
    assert "known_hosts: is missing; make first contact with each host" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, "no key", "ssh-ed25519 AAAA half of one"])
def test_pyinfra_is_not_given_an_ssh_key_that_it_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    """It would end the run of every host for it, with a traceback."""
    more = '[hosts.lon1]\ninbounds = []\nssh_key = "lost"\n'
    folder = fleets.write(tmp_path, more=more)
    if content:
        (folder / "lost").write_text(content)
    (folder / "inventory" / "known_hosts").touch()
    assert "ssh_key" not in dict(pyinfra_groups(folder)["all"])["lon1"]
    told = capsys.readouterr().err
    assert "there is no private ssh key at" in told
    assert "lost, which hosts.toml names for lon1: put it there" in told


def test_pyinfra_is_led_to_a_host_behind_a_jump_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    more = """
        [hosts.lon1]
        inbounds = []
        ssh_hostname = "10.0.0.5"
        jump = "ann@bastion.example.net:2222"
    """
    folder = fleets.write(tmp_path, more=more)
    (folder / "inventory" / "known_hosts").touch()
    lon1 = dict(pyinfra_groups(folder)["all"])["lon1"]
    assert lon1["ssh_hostname"] == "lon1"
    config = Path(lon1["ssh_config_file"]).read_text()
    assert "Host lon1\n  HostName 10.0.0.5\n  ProxyJump ann@bastion.example.net:2222\n" in config
    assert (
        SSHConfig.from_text(config).lookup("bastion.example.net")["stricthostkeychecking"] == "yes"
    )


def test_pyinfra_is_led_to_an_ipv6_jump_host_and_its_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes brackets for a part of the name, and the port then, too."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    more = '[hosts.lon1]\ninbounds = []\njump = "ann@[2001:db8::1]:2222"\n'
    folder = fleets.write(tmp_path, more=more)
    (folder / "inventory" / "known_hosts").touch()
    lon1 = dict(pyinfra_groups(folder)["all"])["lon1"]
    config = SSHConfig.from_path(lon1["ssh_config_file"])
    assert config.lookup("lon1")["proxyjump"] == "ann@2001:db8::1"
    assert config.lookup("2001:db8::1")["port"] == "2222"


def test_a_fleets_folder_that_pyinfra_cannot_read_in_an_ssh_config_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    more = '[hosts.lon1]\ninbounds = []\njump = "bastion"\n'
    folder = fleets.write(tmp_path / "my fleet", more=more)
    (folder / "inventory" / "known_hosts").touch()
    with pytest.raises(SystemExit):
        pyinfra_groups(folder)
    assert "pyinfra cannot read all of it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("config", "known", "warned"),
    [
        ("", "lon1", False),
        ("", "[lon1]:22", True),
        ("", "[lon1]:2222", True),
        ("Port 2222\n", "lon1", True),
        ("Port 2222\n", "[lon1]:2222", False),
        ("Host lon*\n HostName 192.0.2.9\n Port 2222\n", "[192.0.2.9]:2222", False),
        ("Host lon1\n HostName=192.0.2.9\nHost *\n HostName x\n", "192.0.2.9", False),
        ("Host * !lon1\n HostName 192.0.2.9\n", "lon1", False),
        ("Host lon1\n HostName %h.example.net\n", "lon1.example.net", False),
        ("Host lon1\n HostName 192.0.2.9\n", "lon1", True),
        ("Include more\n", "192.0.2.8", False),
        ('Match exec "true"\n HostName 192.0.2.9\n', "ams1", False),
    ],
)
def test_a_host_is_called_unknown_by_the_name_that_ssh_looks_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    config: str,
    known: str,
    warned: bool,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text(config)
    (tmp_path / ".ssh" / "more").write_text("Host lon1\n HostName 192.0.2.8\n")
    folder = fleets.write(tmp_path, more="[hosts.lon1]\ninbounds = []\n")
    (folder / "inventory" / "known_hosts").write_text(f"{known} ssh-ed25519 AAAA\n")
    pyinfra_groups(folder)
    assert ("lon1: its host key is not in" in capsys.readouterr().err) == warned


def test_a_host_behind_a_jump_host_may_be_named_by_its_ssh_alias(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the file of ours it goes by its own name, so pyinfra never looks the alias up."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / ".ssh").mkdir()
    config = "Host inner\n HostName 10.0.0.5\n Port 2222\n User ann\n"
    (tmp_path / ".ssh" / "config").write_text(config)
    more = '[hosts.lon1]\ninbounds = []\nssh_hostname = "inner"\njump = "bastion"\n'
    folder = fleets.write(tmp_path, more=more)
    (folder / "inventory" / "known_hosts").write_text("[10.0.0.5]:2222 ssh-ed25519 AAAA\n")
    lon1 = dict(pyinfra_groups(folder)["all"])["lon1"]
    way = SSHConfig.from_path(lon1["ssh_config_file"]).lookup("lon1")
    assert (way["hostname"], way["port"], way["proxyjump"]) == ("10.0.0.5", "2222", "bastion")
    assert "lon1: its host key is not in" not in capsys.readouterr().err


WS = '[inbounds.x]\nprotocol = "vless"\nsecurity = "tls"\ntransport = "ws"\npath = "/x"\nport = 9\n'
WS += 'certificate = "/etc/a.crt"\ncertificate_key = "/etc/a.key"\n'
REALITY = '[inbounds.x]\nprotocol = "vless"\nsecurity = "reality"\nport = 9\n'
REALITY += 'target = "x.test:443"\n'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (WS.replace('"ws"', '"wss"'), "transport"),
        (WS.replace('"tls"', '"tsl"'), "security"),
        (WS.replace('"vless"', '"vles"'), "protocol"),
        (WS.replace('"/x"', '"x"'), "path"),
        (WS.replace('"/x"', "7"), "path"),
        (WS.replace('"/etc/a.crt"', '"a.crt"'), "certificate"),
        (REALITY.replace("x.test:443", "x.test"), "target"),
        (REALITY.replace("x.test:443", ""), "target"),
        ('[[rules]]\noutbound = "block"\nip = 5\n', "ip"),
        ('[[rules]]\noutbound = "block"\nnetwork = "icmp"\n', "network"),
    ],
)
def test_one_slip_is_one_message(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(FleetError) as error:
        load(fleets.write(tmp_path, more=more))
    [problem] = error.value.problems
    assert said in problem.message


@pytest.mark.parametrize("field", ["ssh_password", "ssh_pass", "password", "sudo_passwd"])
def test_a_password_of_ssh_is_sent_to_a_key_and_not_to_the_port(tmp_path: Path, field: str) -> None:
    with pytest.raises(FleetError) as error:
        load(fleets.write(tmp_path, more=f'[hosts.x]\n{field} = "secret"\n'))
    [problem] = error.value.problems
    assert "name it in ssh_key" in problem.remedy
    assert "ssh_port" not in problem.remedy
