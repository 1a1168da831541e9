"""Rolling out to real servers by the literal words: what changes, what does not, what is seen."""

import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from lab import Host
from lab.core import ensure_core
from lab.waiting import wait_until
from ops.model import layout
from tests.lab.operator import Operator

MIB = 1 << 20


def pid(host: Host) -> str:
    return host.run("systemctl show xray -p MainPID --value").stdout.strip()


def test_a_second_run_changes_nothing_and_says_so(operator: Operator) -> None:
    before = [pid(host) for host in operator.lab.hosts]
    said = operator.roll_out()
    assert sorted(re.findall(r"\[(lab\d)\] No changes", said)) == ["lab1", "lab2", "lab3"]
    assert said.count("nothing to change") == 3
    assert [pid(host) for host in operator.lab.hosts] == before


def test_every_host_serves_every_kind(operator: Operator) -> None:
    for host in ("lab1", "lab2", "lab3"):
        for inbound in ("reality", "ws", "ss"):
            with operator.client("alice", host, inbound) as client:
                assert client.send(down=MIB).down == MIB


def test_a_dry_run_tells_all_and_does_nothing(operator: Operator) -> None:
    operator.keys = ["alice", "carol"]
    operator.fill()
    before = operator.lab.host("lab1").run("sha256sum /etc/xray/config.json").stdout
    done = operator.pyinfra("--dry")
    assert done.returncode == 0
    for host in ("lab1", "lab2", "lab3"):
        assert f"[{host}] + key carol on reality, ss, ws" in done.stdout
        assert f"[{host}] - key bob on reality, ss, ws" in done.stdout
    assert not [secret for secret in operator.secrets() if secret in done.stdout]
    assert operator.lab.host("lab1").run("sha256sum /etc/xray/config.json").stdout == before


def test_a_limit_holds(operator: Operator) -> None:
    operator.keys = ["alice", "bob", "carol"]
    operator.fill()
    operator.roll_out("--limit", "lab3")
    said = operator.roll_out()
    assert "[lab3] nothing to change" in said
    assert "[lab1] + key carol" in said


def test_keys_change_and_nobody_else_is_dropped(operator: Operator) -> None:
    host = operator.lab.host("lab2")
    before = pid(host)
    with operator.client("alice", "lab2", "reality") as client, client.stream() as stream:
        stream.wait_for(MIB)
        operator.keys = ["alice", "carol"]
        operator.fill()
        said = operator.roll_out("--limit", "lab2")
        stream.wait_for(MIB)
    assert "the running core takes the change: nobody is disconnected" in said
    assert pid(host) == before
    with operator.client("carol", "lab2") as client:
        assert client.send(down=MIB).down == MIB
    assert "nothing to change" in operator.roll_out("--limit", "lab2")


def test_a_new_secret_under_an_old_name_needs_consent_and_goes_in_live(operator: Operator) -> None:
    before = pid(operator.lab.host("lab1"))
    held = operator.folder / "inventory/secrets.toml"
    text = held.read_text()
    uuid = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", text)[0]
    held.write_text(text.replace(uuid, "9" + uuid[1:] if uuid[0] != "9" else "8" + uuid[1:]))
    held.chmod(0o600)
    refused = operator.pyinfra("-y", "--limit", "lab1")
    assert refused.returncode == 1
    refusal = "[lab1] left as it is: the secrets of alice"
    assert refused.stdout.count(refusal) == 2  # once in its place, once in the last lines
    assert "--data rotate=alice" in refused.stdout
    assert "nobody is disconnected" not in refused.stdout
    changed = held.read_text()
    remedy = re.findall(r"`ops (secrets recover [^`]*)`", refused.stdout)[0]
    operator.ops(*remedy.split(), "--host", "lab1")
    assert "nothing to change" in operator.roll_out("--limit", "lab1")
    held.write_text(changed)
    said = operator.roll_out("--limit", "lab1", "--data", "rotate=alice")
    assert "~ key alice on reality, ws (another secret)" in said
    assert pid(operator.lab.host("lab1")) == before
    held.write_text(text)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("force=maybe", "--data force=maybe means nothing: write force=yes, or leave it out"),
        ("rotat=alice", "nothing reads --data rotat=...; did you mean 'rotate'?"),
        ("rotate=alcie", "--data rotate=alcie: 'alcie' is no key, and no inbound such as"),
    ],
)
def test_consent_that_is_mistyped_is_none(operator: Operator, typed: str, said: str) -> None:
    done = operator.pyinfra("-y", "--limit", "lab1", "--data", typed)
    assert done.returncode == 1
    assert f"--> Error: {said}" in done.stdout


def test_data_that_pyinfra_or_group_data_knows_is_no_concern_of_ours(operator: Operator) -> None:
    (operator.folder / "group_data").mkdir()
    (operator.folder / "group_data/all.py").write_text('colour = "blue"\n')
    words = ("--data", "colour=red", "--data", "ssh_user=root", "--data", "_sudo=false")
    try:
        assert "nothing to change" in operator.roll_out("--limit", "lab1", *words)
    finally:
        shutil.rmtree(operator.folder / "group_data")


def test_what_is_wrong_with_the_fleet_is_said_without_our_code(operator: Operator) -> None:
    held = operator.folder / "inventory/secrets.toml"
    held.chmod(0o644)
    try:
        done = operator.pyinfra("-y")
    finally:
        held.chmod(0o600)
    assert done.returncode == 1
    assert "--> Error: inventory/secrets.toml can be read by others" in done.stdout
    assert ".py line" not in done.stdout


def test_one_bad_host_stops_no_other(operator: Operator) -> None:
    operator.keys = ["alice", "bob", "carol"]
    operator.fill()
    drop_in = "/etc/systemd/system/xray.service.d/10-theirs.conf"
    operator.lab.host("lab2").put("[Service]\nNice=5\n", drop_in)
    try:
        done = operator.pyinfra("-y")
    finally:
        operator.lab.host("lab2").run("rm -r /etc/systemd/system/xray.service.d")
    assert done.returncode == 1
    assert f"[lab2] left as it is: {drop_in} would change the core's service" in done.stdout
    assert "[lab2] Ready" not in re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    last = done.stdout.split("--> Disconnecting from hosts...")[-1]
    assert "2 of 3 hosts have the fleet's set now; the others:" in last
    assert f"[lab2] left as it is: {drop_in}" in last
    said = operator.roll_out()
    assert "[lab1] nothing to change" in said
    assert "[lab2] + key carol" in said
    assert "[lab3] nothing to change" in said


def test_a_host_without_python_is_told_what_to_install(operator: Operator) -> None:
    host = operator.lab.host("lab3")
    host.run("mv /usr/bin/python3 /usr/bin/python3.away")
    try:
        done = operator.pyinfra("-y", "--limit", "lab3")
    finally:
        host.run("mv /usr/bin/python3.away /usr/bin/python3")
    assert done.returncode == 1
    assert "python3 is missing on this host; on Debian: apt-get install python3" in done.stdout


def test_a_port_that_somebody_else_holds_is_told(operator: Operator) -> None:
    host = operator.lab.host("lab3")
    operator.more = '[inbounds.more]\nprotocol = "shadowsocks"\n'
    operator.more += 'method = "2022-blake3-aes-128-gcm"\nport = 22\n'
    operator.of_host = {"lab3": 'inbounds = ["ws", "more"]\n'}
    operator.fill()
    before = pid(host)
    done = operator.pyinfra("-y", "--limit", "lab3")
    assert done.returncode == 1
    held = r"tcp port 22 is held by /usr/sbin/sshd \(pid \d+ of ssh.service\): give the inbound"
    assert re.search(held, done.stdout)
    assert pid(host) == before


def test_an_old_checkout_does_not_bring_a_revoked_key_back(operator: Operator) -> None:
    old = operator.git("rev-parse", "HEAD").strip()
    branch = operator.git("branch", "--show-current").strip()
    operator.keys = ["alice"]
    operator.fill()
    operator.roll_out("--limit", "lab1")
    operator.git("checkout", "-q", old)
    try:
        done = operator.pyinfra("-y", "--limit", "lab1")
        assert done.returncode == 1
        assert re.search(
            r"it has commit \w{12}, applied by .*, which this checkout lacks", done.stdout
        )
        assert "+ key bob" in operator.roll_out("--limit", "lab1", "--data", "force=yes")
    finally:
        operator.git("checkout", "-q", branch)


def test_what_was_rolled_out_uncommitted_is_kept_by_its_commit(operator: Operator) -> None:
    before = operator.git("rev-parse", "HEAD").strip()
    operator.keys.append("early")
    operator.write()
    operator.ops("secrets", "fill")
    operator.roll_out("--limit", "lab1")
    operator.commit("Early, now committed")
    operator.roll_out()
    assert operator.roll_out().count("nothing to change") == 3
    operator.git("checkout", "-q", before)
    try:
        done = operator.pyinfra("-y", "--limit", "lab1")
        assert done.returncode == 1
        assert "which this checkout lacks" in done.stdout
    finally:
        operator.git("checkout", "-q", "-")


def test_kernel_tuning_comes_and_goes_and_the_core_runs_on(operator: Operator) -> None:
    host = operator.lab.host("lab1")
    before = pid(host)
    operator.of_host = {"lab1": "kernel_tuning = true\n"}
    operator.fill()
    said = operator.roll_out("--limit", "lab1")
    assert "warning: this kernel does not take net.core.default_qdisc = fq" in said
    assert host.run("sysctl -n net.ipv4.tcp_congestion_control").stdout.strip() == "bbr"
    operator.of_host = {}
    operator.fill()
    assert "- /etc/sysctl.d/90-xray-ops.conf" in operator.roll_out("--limit", "lab1")
    assert host.run("ls /etc/sysctl.d").stdout.count("xray") == 0
    assert pid(host) == before


def test_a_host_that_leaves_keeps_its_readings_and_nothing_else(operator: Operator) -> None:
    host = operator.lab.host("lab3")
    operator.of_host = {"lab3": 'state = "absent"\n'}
    operator.fill()
    said = operator.roll_out("--limit", "lab3")
    assert "[lab3] the core is removed; its readings stay" in said
    left = "ls -d /etc/xray /usr/local/lib/xray /usr/local/lib/xray-ops/* /run/xray 2>/dev/null; "
    left += "ls /etc/systemd/system /etc/systemd/system/*.wants | grep xray; pgrep -x xray"
    assert host.run(left, check=False).stdout == ""
    assert ".last.json" in host.run(f"ls {layout.READINGS}").stdout
    assert "[lab3] nothing to change: the core is not here" in operator.roll_out("--limit", "lab3")


def test_a_host_of_old_cores_is_rolled_out_by_its_port(operator: Operator) -> None:
    operator.of_host = {"lab3": 'api = "inbound"\n'}
    operator.fill()
    operator.roll_out("--limit", "lab3")
    assert "[lab3] nothing to change" in operator.roll_out("--limit", "lab3")
    operator.keys = ["alice", "bob", "carol"]
    operator.fill()
    said = operator.roll_out("--limit", "lab3")
    assert "the core is restarted: users" in said
    with operator.client("carol", "lab3") as client:
        assert client.send(down=MIB).down == MIB


def test_a_host_pulls_the_core_by_itself(operator: Operator, tmp_path: Path) -> None:
    """Over the network of the lab, and never a core with another sum than the pinned one."""
    server, host = operator.lab.host("lab1"), operator.lab.host("lab3")
    release = ensure_core().archive.read_bytes()
    server.put(release + b"\0", "/srv/another.zip")
    server.put(release, "/srv/core.zip")
    server.run("systemd-run --unit=srv python3 -m http.server -d /srv 8099")
    wait_until(lambda: "8099" in server.run("ss -Hltn").stdout, "the mirror listens")
    address = f"http://{server.address}:8099"
    pinned = f'version = "26.10.10"\nsha256.x86_64 = "{ensure_core().sha256}"\nfetch = "pull"\n'
    try:
        host.run(f"systemctl stop xray; rm -r {layout.CORES}/*")
        operator.core = f'{pinned}url = "{address}/another.zip"'
        operator.fill()
        done = operator.pyinfra("-y", "--limit", "lab3")
        assert done.returncode == 1
        assert "release: the received core has SHA-256" in done.stdout
        operator.core = f'{pinned}url = "{address}/core.zip"'
        operator.fill()
        assert "core 26.10.10 installed" in operator.roll_out("--limit", "lab3")
    finally:
        server.run("systemctl stop srv; rm -r /srv/*")


def test_a_renewed_certificate_reaches_the_core_within_a_minute(operator: Operator) -> None:
    host = operator.lab.host("lab1")
    host.renew_certificate()
    host.run("systemctl start xray-minute.service")
    same = f"cmp /etc/ssl/lab/host.crt {layout.CERTIFICATES}/ws.crt"
    assert host.run(f"{same} && stat -c '%a %U:%G' {layout.CERTIFICATES}/ws.key").stdout == (
        "640 root:xray\n"
    )


def test_no_secret_is_seen_on_either_side(operator: Operator) -> None:
    """Everything as loud as it goes, while every command line is watched, here and on the hosts.

    The hosts of a lab are containers: their processes can be seen from here.
    """
    operator.keys, operator.of_host = ["alice", "carol"], {"lab1": "ipv6 = false\n"}
    operator.fill()
    with watching() as seen:
        said = operator.roll_out("--diff", "-vvv", "--debug")
    said += operator.pyinfra("debug-inventory", "--json").stdout
    lines = "\n".join(seen)
    assert "swap" in lines
    assert len(operator.secrets()) >= 8
    assert not [secret for secret in operator.secrets() if secret in said + lines]


@contextmanager
def watching() -> Iterator[set[str]]:
    """Collect the command lines of all processes of this machine and its labs."""
    seen: set[str] = set()
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(seen, done))
    watcher.start()
    yield seen
    done.set()
    watcher.join()


def _watch(seen: set[str], done: threading.Event) -> None:
    while not done.wait(0.005):
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                seen.add((process / "cmdline").read_text(errors="replace"))


def test_no_secret_lies_where_others_can_read_it(operator: Operator) -> None:
    places = "/etc /var /run /tmp /home /usr/local"
    words = f"find {places} -type f -perm /o+r -size -2M -print0 2>/dev/null | xargs -0 cat; "
    for host in operator.lab.hosts:
        text = host.run(f"{words} journalctl --no-pager").stdout
        assert not [secret for secret in operator.secrets() if secret in text]
        assert host.run("ls /var/lib/xray-ops").stdout.split() == ["applied.json", "belongs"]
