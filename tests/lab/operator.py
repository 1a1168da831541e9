"""Somebody who keeps a fleet in a folder and rolls it out, as people do: by the literal words."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from lab import Client, Lab
from lab.core import ensure_core

CHECKOUT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
KINDS = """
[inbounds.reality]
protocol = "vless"
security = "reality"
flow = "xtls-rprx-vision"
port = 443
target = "www.example.com:443"

[inbounds.ws]
protocol = "vless"
transport = "ws"
security = "tls"
port = 2053
path = "/ws"
certificate = "/etc/ssl/lab/host.crt"
certificate_key = "/etc/ssl/lab/host.key"

[inbounds.ss]
protocol = "shadowsocks"
method = "2022-blake3-aes-128-gcm"
port = 8388
"""


@dataclass
class Operator:
    """A fleet folder for a lab's hosts; change its fields, then :meth:`write`."""

    folder: Path
    lab: Lab
    hosts: Sequence[str] = ("lab1", "lab2", "lab3")
    keys: list[str] = field(default_factory=lambda: ["alice", "bob"])
    of_host: dict[str, str] = field(default_factory=dict)
    """More lines of hosts.toml for a host, by its name."""
    more: str = ""
    """More of hosts.toml, at its end."""
    core: str = ""
    """The table ``[core]``; the lab's core if nothing is said."""
    environment: dict[str, str] = field(default_factory=dict)
    configs: dict[tuple[str, str, str], str] = field(default_factory=dict, repr=False)
    """Of clients that were run before: secrets stay."""

    def reset(self) -> "Operator":
        """Have every host as it was at first, whatever a test did to it."""
        for host in self.lab.hosts:
            if host.state == "off":
                host.start()
        self.keys, self.of_host, self.more, self.core = ["alice", "bob"], {}, "", ""
        self.fill()
        self.roll_out("--data", "force=yes", "--data", "rotate=all")
        return self

    def begin(self) -> "Operator":
        """Make the folder, its secrets and its first commit."""
        (self.folder / "inventory").mkdir(parents=True)
        for name in ("config.py", "deploy.py", "inventory/__init__.py"):
            shutil.copy(CHECKOUT / name, self.folder / name)
        (self.folder / ".gitignore").write_text("inventory/secrets.toml\n__pycache__/\n*.log\n")
        shutil.copy(self.lab.known_hosts, self.folder / "inventory" / "known_hosts")
        self.environment["XDG_CACHE_HOME"] = str(self.folder.parent / "cache")
        self.write()
        self.ops("core", "fetch", "--archive", str(ensure_core().archive))
        self.git("init", "-q")
        self.fill()
        return self

    def write(self) -> None:
        """Write the inventory."""
        made = ensure_core()
        core = self.core or f'version = "{made.version}"\nsha256.x86_64 = "{made.sha256}"'
        tables = [f"[core]\n{core}\n", f'[defaults]\nssh_key = "{self.lab.private_key}"\n', KINDS]
        tables += [self._host(name) for name in self.hosts]
        (self.folder / "inventory/hosts.toml").write_text("\n".join([*tables, self.more]))
        keys = "\n".join(f"[keys.{name}]" for name in self.keys)
        (self.folder / "inventory/keys.toml").write_text(keys + "\n")

    def fill(self) -> None:
        """Write the inventory, make missing secrets, and commit."""
        self.write()
        held = self.folder / "inventory/secrets.toml"
        known = held.read_text() if held.exists() else ""
        if not all(key in known for key in self.keys) or "inbounds" in str(self.of_host):
            self.ops("secrets", "fill")
        self.commit()

    def pin(self, archive: Path) -> None:
        """Ask for the core in *archive*, and have it at hand."""
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        self.core = f'version = "26.10.10"\nsha256.x86_64 = "{digest}"'
        self.fill()
        self.ops("core", "fetch", "--archive", str(archive))

    def commit(self, message: str = "The fleet") -> None:
        """Commit all that changed."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def pyinfra(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Type ``pyinfra inventory deploy.py`` and *words*; what it prints is in ``stdout``."""
        return self._run(BIN / "pyinfra", "inventory", "deploy.py", *words, timeout=timeout)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Type the same, and go on."""
        return subprocess.Popen(
            [str(BIN / "pyinfra"), "inventory", "deploy.py", *words],
            cwd=self.folder,
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def roll_out(self, *words: str) -> str:
        """Type the same with -y, and return what it printed; it must succeed."""
        done = self.pyinfra("-y", *words)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def ops(self, *words: str) -> str:
        """Type ``ops`` and *words*; it must succeed."""
        done = self._run(BIN / "ops", *words)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def client(self, key: str, host: str, inbound: str = "ws") -> AbstractContextManager[Client]:
        """Run a client of *key*, with the config that its owner would get."""
        asked = key, host, inbound
        if asked not in self.configs:
            place = ("--host", host, "--inbound", inbound)
            self.configs[asked] = self.ops("link", key, *place, "--client-json")
        return self.lab.client(self.configs[asked])

    def secrets(self) -> list[str]:
        """Return every secret of the fleet."""
        text = (self.folder / "inventory/secrets.toml").read_text()
        return [held for held in re.findall(r'"([^"]+)"', text) if len(held) >= 16]

    def git(self, *words: str) -> str:
        """Type ``git`` and *words*; it must succeed."""
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        done = self._run("git", *who, *words)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def _host(self, name: str) -> str:
        host = self.lab.host(name)
        user = "" if host.ssh_user == "root" else f'ssh_user = "{host.ssh_user}"\n'
        address = f'ssh_hostname = "{host.address}"\naddress = ["{host.public_name}"]\n'
        return f"[hosts.{name}]\n{address}{user}{self._inbounds(name)}{self.of_host.get(name, '')}"

    def _inbounds(self, name: str) -> str:
        return (
            ""
            if "inbounds" in self.of_host.get(name, "")
            else 'inbounds = ["reality", "ws", "ss"]\n'
        )

    def variables(self) -> dict[str, str]:
        """Return the environment that things are typed in."""
        return {**os.environ, **self.environment, "NO_COLOR": "1"}

    def _run(self, *words: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(word) for word in words],
            cwd=self.folder,
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        done.stdout = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
        return done
