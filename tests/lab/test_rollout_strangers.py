"""Rollouts to real servers on which something else has our place: it is named, and left alone."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab import Host
from ops.model import layout
from ops.servers.on_host import places
from tests.lab.operator import Operator

THEIRS = """[Unit]
Description=Xray Service

[Service]
ExecStart=/usr/local/bin/xray run -config /usr/local/etc/xray/config.json
Restart=always

[Install]
WantedBy=multi-user.target
"""
CONFIG = {
    "inbounds": [
        {
            "port": 443,
            "protocol": "vless",
            "settings": {
                "decryption": "none",
                "clients": [{"id": f"5783a3e7-0000-4000-8000-00000000000{n}"} for n in range(3)],
            },
        }
    ],
    "outbounds": [{"protocol": "freedom"}],
}


def empty(operator: Operator, host: str) -> None:
    """Have nothing of ours on *host*, and ask for it again."""
    operator.of_host = {host: 'state = "absent"\n'}
    operator.fill()
    operator.roll_out("--limit", host)
    operator.of_host = {}
    operator.fill()


@contextmanager
def official(host: Host, unit: str = "xray.service") -> Iterator[None]:
    """Have the official installer's service run, with the program copied from ours."""
    host.put(json.dumps(CONFIG), "/usr/local/etc/xray/config.json")
    host.put(THEIRS, f"{places.UNITS}/{unit}")
    host.run(f"systemctl daemon-reload; systemctl enable --now {unit}")
    try:
        yield
    finally:
        name = f"{places.UNITS}/{unit}"
        host.run(f"grep -q /usr/local/bin {name} && systemctl disable --now {unit}", check=False)
        host.run(
            f"grep -q /usr/local/bin {name} && rm {name}; systemctl daemon-reload", check=False
        )


@pytest.fixture
def bare(operator: Operator) -> Host:
    """lab3 with the core's program in the official installer's place, and nothing of ours."""
    host = operator.lab.host("lab3")
    host.run(f"cp -L {layout.CORE} /usr/local/bin/xray")
    empty(operator, "lab3")
    return host


def test_a_service_that_is_not_ours_is_named_with_its_users_and_left_running(
    operator: Operator, bare: Host
) -> None:
    with official(bare):
        before = bare.run("systemctl show xray -p MainPID").stdout
        done = operator.pyinfra("-y", "--limit", "lab3")
        assert done.returncode == 1
        assert re.search(
            r"\[lab3\] left as it is: xray.service \(/usr/local/bin/xray, tcp/443, 3 users\) runs "
            r"here and is not of this fleet; .*`systemctl disable --now xray.service`",
            done.stdout,
        )
        assert done.stdout.count("left as it is") == 2
        assert "somebody stopped" not in done.stdout
        assert bare.run("systemctl show xray -p MainPID").stdout == before
        assert bare.run(f"cat {places.UNIT}").stdout == THEIRS
        bare.run("systemctl disable --now xray")
        operator.roll_out("--limit", "lab3")
    assert "nothing to change" in operator.roll_out("--limit", "lab3")


def test_a_host_that_should_have_no_core_keeps_one_that_is_not_ours(
    operator: Operator, bare: Host
) -> None:
    operator.of_host = {"lab3": 'state = "absent"\n'}
    operator.fill()
    with official(bare):
        assert "nothing to change: the core is not here" in operator.roll_out("--limit", "lab3")
        assert bare.run("systemctl is-active xray").stdout == "active\n"


def test_another_service_on_our_port_is_named_with_what_ends_it(
    operator: Operator, bare: Host
) -> None:
    with official(bare, "panel.service"):
        done = operator.pyinfra("-y", "--limit", "lab3")
    assert done.returncode == 1
    assert re.search(
        r"tcp port 443 is held by /usr/local/bin/xray \(pid \d+ of panel.service\): end it with "
        r"`systemctl disable --now panel.service`",
        done.stdout,
    )


@pytest.mark.parametrize("folder", ["/run/systemd/system", "/etc/systemd/system.control"])
def test_a_drop_in_is_refused_wherever_systemd_reads_it(operator: Operator, folder: str) -> None:
    host = operator.lab.host("lab1")
    operator.keys.append("carol")
    operator.fill()
    drop_in = f"{folder}/xray.service.d/10-theirs.conf"
    host.put("[Service]\nNice=5\n", drop_in)
    try:
        done = operator.pyinfra("-y", "--limit", "lab1")
    finally:
        host.run(f"rm -r {folder}/xray.service.d; systemctl daemon-reload")
    assert f"left as it is: {drop_in} would change the core's service" in done.stdout
