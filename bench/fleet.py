"""The simulated fleet, in the files of each contestant."""

from dataclasses import dataclass
from pathlib import Path

REALITY = """
[inbounds.reality]
protocol = "vless"
security = "reality"
flow = "xtls-rprx-vision"
port = 443
target = "www.example.com:443"
"""
"""The only inbound of the measured hosts, for hosts.toml."""
SSH_PORT = 22
SILENT_PORT = 2222
"""The port that accepts connections and never answers."""


def key_name(number: int) -> str:
    """Return the name of key *number*.

    >>> key_name(7)
    'user0007@example.com'
    """
    return f"user{number:04}@example.com"


def addresses(count: int) -> list[str]:
    """Return *count* addresses of the loopback.

    >>> addresses(251)[0], addresses(251)[-1]
    ('127.1.0.1', '127.1.1.1')
    """
    return [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(count)]


@dataclass(frozen=True)
class SimulatedFleet:
    """A fleet in files for ops, pyinfra, ansible and ssh. All hosts have the same host key."""

    folder: Path
    hosts: int
    users: int
    private_key: Path
    host_key: str
    port: int = SSH_PORT

    def write(self) -> None:
        """Write the files of every contestant."""
        (self.folder / "inventory").mkdir(parents=True)
        self._write_ops()
        self._write_peers()

    @property
    def known_hosts(self) -> Path:
        """Return the known_hosts file, with plain names."""
        return self.folder / "inventory" / "known_hosts"

    def _write_ops(self) -> None:
        places = addresses(self.hosts)
        names = places if self.port == SSH_PORT else [f"[{p}]:{self.port}" for p in places]
        self.known_hosts.write_text("".join(f"{name} {self.host_key}\n" for name in names))
        port = "" if self.port == SSH_PORT else f"ssh_port = {self.port}\n"
        entries = (
            f'[hosts.h{number:04}]\nssh_hostname = "{place}"\naddress = ["{place}"]\n{port}'
            for number, place in enumerate(places)
        )
        (self.folder / "inventory" / "hosts.toml").write_text(
            f'[core]\nversion = "26.10.10"\nsha256.x86_64 = "{"0" * 64}"\n'
            f'[defaults]\nssh_key = "{self.private_key}"\ninbounds = ["ss"]\n'
            '[inbounds.ss]\nprotocol = "shadowsocks"\nmethod = "2022-blake3-aes-256-gcm"\n'
            "port = 8388\n" + "\n".join(entries)
        )
        keys = (f'[keys."{key_name(number)}"]\n' for number in range(self.users))
        (self.folder / "inventory" / "keys.toml").write_text("".join(keys))

    def _write_peers(self) -> None:
        options = f"""  User root
  IdentityFile {self.private_key}
  IdentitiesOnly yes
  UserKnownHostsFile {self.known_hosts}
  StrictHostKeyChecking yes
  LogLevel ERROR
"""
        (self.folder / "ssh_config").write_text(f"Host *\n{options}")
        places = addresses(self.hosts)
        (self.folder / "addresses").write_text("\n".join(places) + "\n")
        settings = {
            "ssh_user": "root",
            "ssh_key": str(self.private_key),
            "ssh_known_hosts_file": str(self.known_hosts),
            "ssh_strict_host_key_checking": "yes",
            "ssh_config_file": "/dev/null",
        }
        (self.folder / "pyinfra_hosts.py").write_text(f"hosts = {places!r}, {settings!r}\n")
        python = "ansible_python_interpreter=/usr/bin/python3"
        (self.folder / "ansible_hosts").write_text("".join(f"{p} {python}\n" for p in places))
        (self.folder / "ansible.cfg").write_text(
            f"[ssh_connection]\ncontrol_path_dir = {self.folder}/cp\n"
            f"ssh_common_args = -F {self.folder}/ssh_config\n"
        )
