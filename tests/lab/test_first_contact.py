"""Meeting a server for the first time, and getting secrets back from servers that have them."""

import re
import shutil
from pathlib import Path

import asyncssh
import pytest

from lab import Host, Lab
from tests.lab.operator import Operator
from tests.ssh_server import an_agent
from tests.terminal import Terminal

WRONG = "SHA256:" + "A" * 43


@pytest.fixture(scope="module")
def operator(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    return Operator(tmp_path_factory.mktemp("contact") / "fleet", lab).begin()


@pytest.fixture
def stranger(operator: Operator) -> Path:
    """The file of known hosts, which knows nobody yet."""
    known_hosts = operator.folder / "inventory" / "known_hosts"
    known_hosts.write_text("")
    return known_hosts


def refused(operator: Operator, *words: str) -> str:
    with pytest.raises(AssertionError) as caught:
        operator.ops(*words)
    return str(caught.value)


def answered(operator: Operator, *words: str) -> str:
    """Return the answer, whether a core runs there already or not."""
    try:
        return operator.ops(*words)
    except AssertionError as error:
        return str(error)


def test_a_stranger_is_refused_and_named(operator: Operator, stranger: Path) -> None:
    assert "make first contact with `ops hosts trust lab1`" in refused(operator, "traffic")


def test_a_fingerprint_that_fits_is_trusted(
    operator: Operator, stranger: Path, host1: Host
) -> None:
    said = operator.ops("hosts", "trust", "lab1", "--fingerprint", host1.fingerprint)
    assert said == "lab1: trusted from now on\n"
    assert host1.host_key.split()[1] in stranger.read_text()
    again = operator.ops("hosts", "trust", "lab1", "--fingerprint", host1.fingerprint)
    assert again == "lab1: was trusted already\n"


def test_several_hosts_are_met_in_one_call_and_without_an_ssh_key(
    operator: Operator, stranger: Path, host1: Host, host2: Host
) -> None:
    hosts_toml = operator.folder / "inventory" / "hosts.toml"
    before = hosts_toml.read_text()
    hosts_toml.write_text(before.replace('ssh_key = "', 'ssh_key = "/not/here'))
    words = ("hosts", "trust", "lab1", "lab2")
    typist = Terminal(operator.folder, *words, variables=operator.variables())
    for host in (host1, host2):
        typist.wait_for(f"Is that what {host.name}'s own console shows? [y/N]: ")
        typist.types("y")
    assert typist.code() == 0
    assert all(host.host_key.split()[1] in stranger.read_text() for host in (host1, host2))
    hosts_toml.write_text(before)
    refusal = refused(operator, "hosts", "trust", "lab*", "--fingerprint", host1.fingerprint)
    assert "--fingerprint is that of one server, and 3 were named" in refusal


def test_another_fingerprint_is_not(operator: Operator, stranger: Path) -> None:
    said = refused(operator, "hosts", "trust", "lab1", "--fingerprint", WRONG)
    assert "nothing was trusted" in said
    assert stranger.read_text() == ""


def test_nobody_at_the_keyboard_must_bring_the_fingerprint(
    operator: Operator, stranger: Path
) -> None:
    assert "nobody is here to compare them" in refused(operator, "hosts", "trust", "lab1")


def test_who_compares_and_says_no_trusts_nobody(
    operator: Operator, stranger: Path, host1: Host
) -> None:
    typist = Terminal(operator.folder, "hosts", "trust", "lab1", variables=operator.variables())
    typist.wait_for("Is that what lab1's own console shows? [y/N]: ")
    assert f"lab1 shows {host1.fingerprint} (ssh-ed25519)" in typist.shown
    typist.types("n")
    assert (typist.code(), "lab1: nothing was trusted" in typist.shown) == (1, True)
    assert stranger.read_text() == ""


def test_who_compares_and_says_yes_is_not_asked_again(
    operator: Operator, stranger: Path, host1: Host
) -> None:
    words = (operator.folder, "hosts", "trust", "lab1")
    typist = Terminal(*words, variables=operator.variables())
    typist.wait_for("[y/N]: ")
    typist.types("y")
    assert (typist.code(), "lab1: trusted from now on" in typist.shown) == (0, True)
    assert host1.host_key.split()[1] in stranger.read_text()
    again = Terminal(*words, variables=operator.variables())
    assert (again.code(), "lab1: was trusted already" in again.shown) == (0, True)


def test_a_rebuilt_servers_key_is_learnt_only_when_asked(
    operator: Operator, stranger: Path, host1: Host, host2: Host
) -> None:
    kind, theirs = host2.host_key.split()[:2]
    stranger.write_text(f"{host1.address} {kind} {theirs}\n")
    trust = ("hosts", "trust", "lab1", "--fingerprint", host1.fingerprint)
    assert "add --replace" in refused(operator, *trust)
    operator.ops(*trust, "--replace")
    assert theirs not in stranger.read_text()


def test_of_many_keys_in_the_agent_sshd_hears_the_likely_one_first(
    operator: Operator, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSH and pyinfra get in so, too; with eight strange keys alone nobody does."""
    (operator.folder / "inventory" / "known_hosts").write_text(lab.known_hosts.read_text())
    hosts_toml = operator.folder / "inventory" / "hosts.toml"
    written = hosts_toml.read_text()
    hosts_toml.write_text(re.sub("ssh_key = .*", "", written))
    (tmp_path / ".ssh").mkdir()
    monkeypatch.setitem(operator.environment, "HOME", str(tmp_path))
    strange = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(8)]
    try:
        with an_agent(*strange, asyncssh.read_private_key(lab.private_key)) as agent:
            monkeypatch.setitem(operator.environment, "SSH_AUTH_SOCK", str(agent))
            said = refused(operator, "hosts", "--host", "lab1")
            assert "lab1  unreachable" in said
            assert "the ssh agent offers 9 keys, and sshd at" in said
            assert "tries 6 or fewer (MaxAuthTries): set ssh_key in hosts.toml" in said
            shutil.copy(lab.private_key, tmp_path / ".ssh" / "id_ed25519")
            assert "unreachable" not in answered(operator, "hosts", "--host", "lab1")
    finally:
        hosts_toml.write_text(written)


def test_secrets_come_back_from_the_servers(operator: Operator, lab: Lab) -> None:
    known_hosts = operator.folder / "inventory" / "known_hosts"
    known_hosts.write_text(lab.known_hosts.read_text())
    operator.roll_out("--data", "rotate=all", "--data", "force=yes")
    file = operator.folder / "inventory" / "secrets.toml"
    file.unlink()
    assert "would cut people off" in refused(operator, "secrets", "fill")
    done = operator.pyinfra("-y")
    assert done.returncode == 1
    assert "secrets.toml is missing" in done.stdout
    operator.ops("secrets", "recover")
    assert operator.roll_out().count("nothing to change") == 3


def test_a_host_behind_another_is_read_and_rolled_out_to(operator: Operator, lab: Lab) -> None:
    operator.roll_out("--data", "rotate=all", "--data", "force=yes")
    jump = lab.host("lab1").address
    operator.of_host["lab2"] = f'jump = "root@{jump}"\n'
    operator.fill()
    trust = ("hosts", "trust", jump, "--fingerprint", lab.host("lab1").fingerprint)
    assert operator.ops(*trust) == f"{jump}: was trusted already\n"
    assert "lab2" in operator.ops("traffic", "--host", "lab2", "--by", "host")
    assert "nothing to change" in operator.roll_out("--limit", "lab2")
    logins = "journalctl -t sshd -o cat | grep -c 'Accepted publickey for admin from " + jump
    assert int(lab.host("lab2").run(f"{logins} '").stdout) >= 2


def test_a_host_behind_an_ipv6_jump_host_is_read_and_rolled_out_to(
    operator: Operator, lab: Lab
) -> None:
    jump = lab.host("lab1")
    operator.of_host["lab2"] = f'jump = "root@[{jump.address6}]"\n'
    operator.fill()
    operator.ops("hosts", "trust", jump.address6, "--fingerprint", jump.fingerprint)
    assert "lab2" in operator.ops("traffic", "--host", "lab2", "--by", "host")
    assert "nothing to change" in operator.roll_out("--limit", "lab2")


def test_a_jump_host_of_the_ssh_config_is_held_to_the_fleets_known_hosts(
    operator: Operator, lab: Lab
) -> None:
    operator.roll_out("--data", "rotate=all", "--data", "force=yes")
    jump, target = lab.host("lab1"), lab.host("lab3")
    ssh = operator.folder.parent / "home" / ".ssh"
    ssh.mkdir(parents=True)
    (ssh / "config").write_text(
        f"StrictHostKeyChecking no\nHost {target.address}\n  ProxyJump root@{jump.address}\n"
        f"Host {jump.address}\n  IdentityFile {lab.private_key}\n"
    )
    known_hosts = operator.folder / "inventory" / "known_hosts"
    all_known = known_hosts.read_text()
    lines = all_known.splitlines(keepends=True)
    fewer = "".join(line for line in lines if jump.address not in line)
    operator.environment["HOME"] = str(ssh.parent)
    try:
        known_hosts.write_text(fewer)
        done = operator.pyinfra("-y", "--limit", "lab3")
        assert done.returncode == 1
        assert f"No host key for {jump.address} found in known_hosts" in done.stdout
        assert "continue" not in done.stdout
        assert "Traceback" not in done.stdout
        assert [file.name for file in ssh.iterdir()] == ["config"]
        assert known_hosts.read_text() == fewer
        known_hosts.write_text(all_known)
        assert "nothing to change" in operator.roll_out("--limit", "lab3")
        accepted = f"Accepted publickey for root from {jump.address} "
        assert accepted in target.run("journalctl -t sshd -o cat").stdout
    finally:
        known_hosts.write_text(all_known)
        del operator.environment["HOME"]
