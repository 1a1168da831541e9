"""What the lab promises of its hosts, seen on them."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab import Host, Lab, LabError, every_lab, purge, sweep
from lab.state import VARIABLE, state_folder
from lab.waiting import wait_until


def round_trip(host: Host) -> float:
    """Return the seconds that one TCP handshake with *host* takes; a minute if it fails."""
    start = time.monotonic()
    try:
        socket.create_connection((host.address, 22), 1).close()
    except OSError:
        return 60
    return time.monotonic() - start


def reachable(host: Host) -> bool:
    return round_trip(host) < 60


# The hosts.


def test_hosts_run_systemd_without_a_failed_unit(lab: Lab) -> None:
    for host in lab.hosts:
        assert host.run("systemctl is-system-running").stdout == "running\n"
        assert host.run("hostname").stdout == f"{host.name}\n"


def test_hosts_answer_on_v4_and_v6(lab: Lab) -> None:
    for host in lab.hosts:
        for address in (host.address, host.address6):
            with socket.create_connection((address, 22), 30) as connection:
                assert connection.recv(4) == b"SSH-"


def test_the_host_key_is_the_one_known(lab: Lab) -> None:
    for host in lab.hosts:
        shown = host.run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").stdout
        assert host.fingerprint in shown
        assert set(host.known_hosts_lines) <= set(lab.known_hosts.read_text().splitlines())


def test_lab2_lets_only_admin_in_who_has_sudo(host2: Host) -> None:
    assert host2.ssh_user == "admin"
    assert host2.run("id -un").stdout == "root\n"
    as_root = [word.replace("admin@", "root@") for word in host2.ssh_command("true")]
    refused = subprocess.run(as_root, capture_output=True, text=True, check=False)
    assert "Permission denied" in refused.stderr


@pytest.mark.parametrize(("name", "allowed"), [("lab1", True), ("lab3", False)])
def test_lab3_refuses_to_forward(lab: Lab, name: str, allowed: bool) -> None:
    words = lab.host(name).ssh_command()
    forwarded = subprocess.run(
        [*words[:-1], "-W", "127.0.0.1:22", words[-1]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert forwarded.stdout.startswith(b"SSH-") == allowed


def test_nothing_leads_out(lab: Lab, host1: Host) -> None:
    for family in ("-4", "-6"):
        routes = host1.run(f"ip {family} route show default").stdout
        assert routes.startswith("unreachable default")
        assert "via" not in routes
    refused = host1.run("curl -sS -m 20 http://192.0.2.77 2>&1", check=False)
    assert "Couldn't connect" in refused.stdout
    guards = subprocess.run(
        ["ip", "route", "show", "type", "unreachable"], capture_output=True, text=True, check=True
    )
    assert f"{lab.record.network.block4} metric 4096" in guards.stdout


def test_the_world_is_a_site_that_hosts_trust(host1: Host) -> None:
    for version in ("--http1.1", "--http2"):
        page = host1.run(f"curl -sS -m 20 {version} --tlsv1.3 https://www.example.com")
        assert page.stdout == "This is the lab's web site.\n"


def test_a_certificate_is_renewed_and_its_key_stays_private(host2: Host) -> None:
    show = "openssl x509 -in /etc/ssl/lab/host.crt -noout -serial -ext subjectAltName"
    before = host2.run(show).stdout
    key = host2.run("sha256sum /etc/ssl/lab/host.key").stdout
    host2.renew_certificate(same_key=True)
    after = host2.run(show).stdout
    assert "DNS:lab2.example.net" in after
    assert before.splitlines()[0] != after.splitlines()[0]
    assert host2.run("sha256sum /etc/ssl/lab/host.key").stdout == key
    assert host2.run("stat -c %a%U /etc/ssl/lab/host.key").stdout == "600root\n"
    host2.renew_certificate()
    assert host2.run("sha256sum /etc/ssl/lab/host.key").stdout != key


# What befalls them.


def test_a_cut_host_is_silent_until_healed(host1: Host) -> None:
    host1.cut()
    assert not reachable(host1)
    host1.heal()
    wait_until(lambda: reachable(host1), "lab1 is back")


def test_dropped_packets_are_lost_without_a_word(host1: Host) -> None:
    host1.drop()
    with pytest.raises(TimeoutError):
        socket.create_connection((host1.address, 22), 0.5)
    host1.undrop()
    assert reachable(host1)


def test_loss_loses_some(host1: Host) -> None:
    host1.loss(80)
    assert not all(reachable(host1) for _ in range(3))
    host1.loss(0)
    assert all(reachable(host1) for _ in range(8))


def test_delay_is_added_each_way_and_connections_live_on(host1: Host) -> None:
    with socket.create_connection((host1.address, 22), 30) as connection:
        host1.delay(60)
        assert 0.12 <= round_trip(host1) < 60
        assert connection.recv(4) == b"SSH-"
    host1.delay(0)
    assert min(round_trip(host1) for _ in range(5)) < 0.06


def test_a_paused_host_connects_and_says_nothing(host1: Host) -> None:
    host1.pause()
    assert host1.state == "paused"
    with socket.create_connection((host1.address, 22), 30) as connection:
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        host1.resume()
        connection.settimeout(60)
        assert connection.recv(4) == b"SSH-"


def test_a_crashed_host_keeps_its_disk(host1: Host) -> None:
    host1.run("echo kept >/root/kept; sync")
    host1.crash()
    assert host1.state == "off"
    assert not reachable(host1)
    host1.start()
    assert host1.run("cat /root/kept; rm /root/kept").stdout == "kept\n"


def test_a_reboot_is_one_and_uptime_starts_anew(host2: Host) -> None:
    facts = "cat /proc/sys/kernel/random/boot_id; cut -d. -f1 /proc/uptime"
    boot, _ = host2.run(facts).stdout.split()
    host2.reboot()
    again, uptime = host2.run(facts).stdout.split()
    assert again != boot
    assert int(uptime) < 60


def test_a_host_shuts_down_in_good_order(host2: Host) -> None:
    host2.poweroff()
    assert host2.state == "off"
    host2.start()
    journal = host2.run("journalctl -b -1 -o cat").stdout
    assert "System Power Off" in journal


# The lab as a whole.


def test_up_again_mends_what_is_broken(lab: Lab, host1: Host, host2: Host, host3: Host) -> None:
    host1.delay(20)
    host2.crash()
    host3.drop()
    again = Lab.up(lab.name, 3, transient=True)
    assert [host.state for host in again.hosts] == ["on", "on", "on"]
    assert all(reachable(host) for host in again.hosts)


def test_a_killed_owner_leaves_a_lab_that_is_found_and_swept(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a state folder of its own: any other session would sweep it from the usual one."""
    (tmp_path / "image").symlink_to(state_folder() / "image")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    name = f"k{os.getpid()}"
    code = f"from lab import Lab; Lab.up({name!r}, 1, transient=True); print('up'); input()"
    owner = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with owner:
        assert owner.stdout
        assert owner.stdout.readline() == b"up\n"
        assert name not in sweep()
        owner.kill()
    orphan = Lab.find(name)
    assert orphan.host("lab1").run("hostname").stdout == "lab1\n"
    assert orphan.record.number != lab.record.number
    sweep()
    assert name not in [left.name for left in every_lab()]
    assert not list(Path("/run/netns").glob(f"xl-{name}*"))
    assert not list((state_folder() / "labs").glob(f"{name}*"))


def test_a_lab_of_another_state_folder_is_left_alone(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XRAY_OPS_LAB", str(tmp_path))
    with pytest.raises(LabError, match=f"XRAY_OPS_LAB=.* --name {lab.name} down"):
        Lab.up(lab.name, 1)
    assert every_lab() == []
    with pytest.raises(LabError, match="end it first"):
        Lab(lab.record).down()
    purge()
    assert [host.state for host in lab.hosts] == ["on", "on", "on"]


def test_an_interrupted_up_is_completed_by_the_next() -> None:
    name = f"i{os.getpid()}"
    words = [sys.executable, "-m", "lab", "--name", name, "up", "1"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as first:
        assert first.stderr
        first.stderr.readline()
        first.kill()
    with Lab.up(name, 1) as lab:
        assert lab.host("lab1").run("systemctl is-system-running").stdout == "running\n"


def test_the_command_line_shows_and_logs_in(lab: Lab) -> None:
    def typed(*words: str) -> subprocess.CompletedProcess[str]:
        whole = [sys.executable, "-m", "lab", "--name", lab.name, *words]
        return subprocess.run(whole, capture_output=True, text=True, check=False)

    assert "lab2    on      admin@" in typed("status").stdout
    assert typed("ssh", "lab3", "id", "-un").stdout == "root\n"
    assert typed("cut", "lab9").stderr.startswith("Error: lab")
