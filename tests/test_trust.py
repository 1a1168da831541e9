"""First contact: a known_hosts that was copied is understood, and stays readable to pyinfra."""

import subprocess
from pathlib import Path

import pytest

from ops.errors import UsageError
from ops.fleet.inventory.known_hosts import problems
from ops.model import Core, Fleet, Host
from ops.servers import trust

HOST = Host(name="fra1")
OLD, NEW, RSA = ("ssh-ed25519 AAAA", "ssh-ed25519 BBBB", "ssh-rsa CCCC")


def fleet(folder: Path, *lines: str) -> Fleet:
    (folder / "inventory").mkdir()
    found = Fleet(folder=folder, core=Core(version="1.2.3"), hosts=(HOST,), keys=())
    found.known_hosts.write_text("".join(f"{line}\n" for line in lines))
    return found


def hashed(line: str, folder: Path) -> str:
    """Return *line* with its name hashed, as Debian's ssh writes it."""
    file = folder / "to_hash"
    file.write_text(f"{line}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    return file.read_text().strip()


def lines(of: Fleet) -> list[str]:
    return [line for line in of.known_hosts.read_text().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(
    "line",
    [f"fra1 {OLD}", f"fra1 {OLD} root@fra1", f"fra1,192.0.2.7 {OLD}", f"192.0.2.7,fra1 {OLD}"],
)
def test_a_copied_line_is_known_in_whatever_form_it_is(tmp_path: Path, line: str) -> None:
    found = fleet(tmp_path, line)
    assert trust.is_known(found, HOST, [f"fra1 {OLD}"], replacing=False)
    assert trust.is_known(found, HOST, [f"fra1 {OLD}", f"fra1 {RSA}"], replacing=False)
    with pytest.raises(UsageError, match="another host key is in known_hosts already"):
        trust.add(found, HOST, [f"fra1 {NEW}"], replacing=False)
    with pytest.raises(UsageError, match="another host key is in known_hosts already"):
        trust.add(found, HOST, [f"fra1 {NEW}", f"fra1 {RSA}"], replacing=False)
    trust.add(found, HOST, [f"fra1 {NEW}"], replacing=True)
    assert [line for line in lines(found) if "fra1 " in line] == [f"fra1 {NEW}"]


def test_a_hashed_line_is_known_too(tmp_path: Path) -> None:
    key = "AAAAC3NzaC1lZDI1NTE5AAAAIMkx4aRXTkfN2wxz5Yh0eDh3CXs4A4M3HOWjWJRFeoSt"
    line = hashed(f"fra1 ssh-ed25519 {key}", tmp_path)
    assert line.startswith("|1|")
    found = fleet(tmp_path, line)
    assert trust.is_known(found, HOST, [f"fra1 ssh-ed25519 {key}"], replacing=False)
    assert not trust.known(found, f"fra2 {NEW}")
    with pytest.raises(UsageError, match="add --replace"):
        trust.add(found, HOST, [f"fra1 {NEW}"], replacing=False)
    trust.add(found, HOST, [f"fra1 {NEW}"], replacing=True)
    assert lines(found) == [f"fra1 {NEW}"]


def test_what_replaces_a_key_leaves_the_other_names_of_its_line(tmp_path: Path) -> None:
    found = fleet(tmp_path, f"fra1,ams1 {OLD}", f"fra2 {OLD}")
    trust.add(found, HOST, [f"fra1 {NEW}"], replacing=True)
    assert lines(found) == [f"ams1 {OLD}", f"fra2 {OLD}", f"fra1 {NEW}"]


def test_a_new_line_stands_before_those_after_which_pyinfra_reads_nothing(tmp_path: Path) -> None:
    found = fleet(tmp_path, f"ams1 {OLD}", f"@revoked ams1 {NEW}")
    trust.add(found, HOST, [f"fra1 {NEW}"], replacing=False)
    assert lines(found) == [f"ams1 {OLD}", f"fra1 {NEW}", f"@revoked ams1 {NEW}"]
    assert not list(problems("known_hosts", found.known_hosts.read_text().splitlines()))
