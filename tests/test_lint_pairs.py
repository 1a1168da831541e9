"""A certificate with another's key: the core starts, and nobody connects."""

import json
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.certificates import Authority, Certificate
from ops.config.validation import Options, validate_files
from tests.loopback import free_port, running

UUID = "3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d"
Form = Callable[[Path, Certificate, Certificate], dict[str, Any]]


def in_files(folder: Path, one: Certificate, other: Certificate) -> dict[str, Any]:
    (folder / "a.crt").write_bytes(one.certificate)
    (folder / "a.key").write_bytes(other.key)
    return {"certificateFile": str(folder / "a.crt"), "keyFile": str(folder / "a.key")}


def written(_: Path, one: Certificate, other: Certificate) -> dict[str, Any]:
    lines = one.certificate.decode().splitlines(), other.key.decode().splitlines()
    return {"certificate": lines[0], "key": lines[1]}


def mixed(folder: Path, one: Certificate, other: Certificate) -> dict[str, Any]:
    files, lines = in_files(folder, one, other), written(folder, one, other)
    return {"certificateFile": files["certificateFile"], "key": lines["key"]}


def damaged(folder: Path, one: Certificate, _: Certificate) -> dict[str, Any]:
    found = in_files(folder, one, one)
    (folder / "a.key").write_text("not a key")
    return found


FORMS = [in_files, written, mixed, damaged]


def config(entry: dict[str, Any], port: int) -> dict[str, Any]:
    user = {"id": UUID, "email": "alice"}
    tls = {"security": "tls", "tlsSettings": {"certificates": [entry]}}
    inbound = {"tag": "in", "listen": "127.0.0.1", "port": port, "protocol": "vless"}
    settings = {"clients": [user], "decryption": "none"}
    return {
        "inbounds": [inbound | {"settings": settings, "streamSettings": tls}],
        "outbounds": [{"protocol": "freedom"}],
    }


def handshake(port: int) -> bool:
    """Return whether a TLS server answers there, whatever its name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        try:
            context.wrap_socket(plain, server_hostname="x.test").close()
        except (ssl.SSLError, OSError):
            return False
    return True


def found(config: dict[str, Any], file: Path) -> list[str]:
    file.write_text(json.dumps(config))
    report = validate_files([file], Options(without_core=True))
    return [one.rule.code for one in report.findings if one.rule.code == "XO513"]


@pytest.mark.parametrize("form", FORMS)
def test_a_pair_that_does_not_match_is_an_error(core: Path, tmp_path: Path, form: Form) -> None:
    authority, port = Authority.in_folder(tmp_path), free_port()
    entry = form(tmp_path, authority.issue("x.test"), authority.issue("x.test"))
    with running(core, config(entry, port), tmp_path / "server", port) as log:
        assert not handshake(port)
        assert "ignoring invalid X509 key pair" in log.read_text()
    assert found(config(entry, port), tmp_path / "c.json") == ["XO513"]


@pytest.mark.parametrize("form", FORMS[:3])
def test_and_one_that_does_is_none(core: Path, tmp_path: Path, form: Form) -> None:
    issued, port = Authority.in_folder(tmp_path).issue("x.test"), free_port()
    entry = form(tmp_path, issued, issued)
    with running(core, config(entry, port), tmp_path / "server", port):
        assert handshake(port)
    assert found(config(entry, port), tmp_path / "c.json") == []


def test_a_pair_that_is_not_here_is_not_judged(tmp_path: Path) -> None:
    entry = {"certificateFile": "/nowhere/a.crt", "keyFile": "/nowhere/a.key"}
    assert found(config(entry, 443), tmp_path / "c.json") == []
