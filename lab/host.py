"""One host of a lab: what it is called, how to log in, and what can befall it."""

import os
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab import faults
from lab.addresses import public_name
from lab.certificates import Authority
from lab.cgroup import Cgroup
from lab.errors import LabError
from lab.furnish import CERTIFICATE, CERTIFICATE_KEY, ssh_user
from lab.links import namespace
from lab.record import Record
from lab.ssh import fingerprint, ssh_command
from lab.waiting import PATIENCE, wait_until

_BOOT = Path(__file__).with_name("boot.sh")
_PAYLOAD = "payload"
"""The part of a host's control group that is the host, and not the program that carries it."""
_POWER_OFF = signal.SIGRTMIN + 4
"""What asks systemd, as PID 1, to shut down in good order."""


@dataclass(frozen=True, slots=True)
class Host:
    """A Debian server: systemd, sshd, addresses of its own."""

    lab: Record
    index: int

    @property
    def name(self) -> str:
        """Return its host name: lab1, lab2 and so on, in every lab."""
        return f"lab{self.index}"

    @property
    def address(self) -> str:
        """Return its v4 address."""
        return self.lab.network.host(self.index)[0]

    @property
    def address6(self) -> str:
        """Return its v6 address."""
        return self.lab.network.host(self.index)[1]

    @property
    def public_name(self) -> str:
        """Return the name that clients dial and that its certificate carries."""
        return public_name(self.name)

    @property
    def ssh_user(self) -> str:
        """Return who may log in."""
        return ssh_user(self.name)

    @property
    def folder(self) -> Path:
        """Return where its disk is kept."""
        return self.lab.folder / "hosts" / self.name

    @property
    def namespace(self) -> str:
        """Return the name of its network namespace."""
        return namespace(self.lab.name, self.name)

    @property
    def host_key(self) -> str:
        """Return its public ssh host key."""
        return (self.folder / "up/etc/ssh/ssh_host_ed25519_key.pub").read_text().strip()

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 fingerprint of its ssh host key."""
        return fingerprint(self.host_key)

    @property
    def known_hosts_lines(self) -> tuple[str, ...]:
        """Return its lines for a known_hosts file: one for v4, one for v6."""
        return tuple(f"{address} {self.host_key}" for address in (self.address, self.address6))

    @property
    def cgroup(self) -> Cgroup:
        """Return the control group of its processes."""
        return Cgroup(f"{self.lab.name}/{self.name}")

    @property
    def state(self) -> Literal["on", "off", "paused"]:
        """Return whether it runs, does not, or hangs."""
        if not self.cgroup.populated:
            return "off"
        frozen = self.cgroup.path / _PAYLOAD / "cgroup.freeze"
        return "paused" if frozen.exists() and frozen.read_text().strip() == "1" else "on"

    def ssh_command(self, *command: str) -> list[str]:
        """Return the words that log in, and run *command* there if there is one."""
        key, known = self.lab.folder / "id_ed25519", self.lab.folder / "known_hosts"
        return [*ssh_command(self.ssh_user, self.address, key=key, known_hosts=known), *command]

    def run(
        self,
        command: str,
        *,
        input: str | bytes = b"",
        check: bool = True,
        timeout: float = PATIENCE,
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command on it as root, over ssh; LabError if it fails and *check* is on."""
        words = command
        if self.ssh_user != "root":
            words = f"sudo -n sh -c {shlex.quote(command)}"
        data = input.encode() if isinstance(input, str) else input
        raw = subprocess.run(
            self.ssh_command(words), input=data, capture_output=True, timeout=timeout, check=False
        )
        output, said = raw.stdout.decode(errors="replace"), raw.stderr.decode(errors="replace")
        if check and raw.returncode:
            reason = (said or output).strip() or f"exit {raw.returncode}"
            raise LabError(f"{self.name}: {command.splitlines()[0][:80]}: {reason}")
        return subprocess.CompletedProcess(raw.args, raw.returncode, output, said)

    def put(self, content: bytes | str | Path, path: str, mode: int = 0o644) -> None:
        """Write a file on it as root, whole or not at all; folders are made."""
        data = content.read_bytes() if isinstance(content, Path) else content
        target = shlex.quote(path)
        self.run(
            f"set -e; umask 077; (umask 022; mkdir -p $(dirname {target})); cat >{target}.new; "
            f"chmod {mode:o} {target}.new; mv {target}.new {target}",
            input=data,
        )

    def cut(self) -> None:
        """Pull its network cable."""
        faults.plug(self.lab.name, self.name, in_=False)

    def heal(self) -> None:
        """Plug its network cable in again."""
        faults.plug(self.lab.name, self.name, in_=True)

    def drop(self) -> None:
        """Lose every packet to and from it, silently."""
        self.loss(100)

    def undrop(self) -> None:
        """Let packets through again."""
        self.loss(0)

    def loss(self, percent: float) -> None:
        """Lose *percent* of the packets each way; 0 ends it."""
        faults.lose(self.lab.name, self.name, percent)

    def delay(self, milliseconds: float) -> None:
        """Make every packet *milliseconds* late each way; 0 ends it."""
        faults.delay(self.lab.name, self.name, milliseconds, self.lab.folder / "wire.log")

    def pause(self) -> None:
        """Make it hang: connections still open, nobody answers on them."""
        self.cgroup.freeze(True, _PAYLOAD)

    def resume(self) -> None:
        """Let it go on after :meth:`pause`."""
        self.cgroup.freeze(False, _PAYLOAD)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Serve it before all else on this machine, as a server that has processors of its own."""
        self.cgroup.schedule(os.SCHED_RR, 1, _PAYLOAD)
        try:
            yield
        finally:
            self.cgroup.schedule(os.SCHED_OTHER, 0, _PAYLOAD)

    def crash(self) -> None:
        """Cut its power: no process has a last word, its disk stays as it is."""
        self.cut()  # a dead host answers nothing, not even with a reset
        self.cgroup.kill()

    def boot(self) -> None:
        """Switch it on unless it is; return at once."""
        self.heal()
        if self.cgroup.populated:
            return
        words = ("bash", _BOOT, self.name, self.folder, self.namespace)
        log = self.folder / "console.log"
        self.cgroup.spawn("unshare", "--mount", *words, self.cgroup.inner, log=log)

    def start(self) -> None:
        """Switch it on and return when it has booted."""
        self.boot()
        self.wait_booted()

    def poweroff(self) -> None:
        """Shut it down in good order, and return when it is off."""
        leader = self._leader()
        if leader:
            os.kill(leader, _POWER_OFF)
        wait_until(lambda: not self.cgroup.populated, f"{self.name} shuts down")
        self.cut()

    def reboot(self) -> None:
        """Boot it anew in good order, and return when it has booted."""
        before = self._leader()
        self.run("systemctl reboot", check=False)  # the connection may die before it answers
        wait_until(lambda: self._leader() not in (None, before), f"{self.name} boots anew")
        self.wait_booted()

    def clear_faults(self) -> None:
        """End whatever :meth:`cut`, :meth:`loss`, :meth:`delay` and :meth:`pause` began."""
        self.heal()
        self.undrop()
        self.delay(0)
        if self.state == "paused":
            self.resume()

    def wait_booted(self) -> None:
        """Return when sshd answers and systemd has finished booting."""
        wait_until(self._greets, f"{self.name} answers on ssh (see {self.folder}/console.log)")
        self.run("systemctl is-system-running --wait", check=False)

    def renew_certificate(self, *, same_key: bool = False) -> None:
        """Give it a new certificate, as a renewal does: key first, each file swapped whole."""
        authority = Authority.in_folder(self.lab.folder)
        key = self.run(f"cat {CERTIFICATE_KEY}").stdout.encode() if same_key else b""
        names = (self.public_name, self.name, self.address, self.address6)
        issued = authority.issue(*names, key=key)
        self.put(issued.key, CERTIFICATE_KEY, 0o600)
        self.put(issued.certificate, CERTIFICATE)

    def _leader(self) -> int | None:
        try:
            return next(iter(self.cgroup.members(f"{_PAYLOAD}/init.scope")), None)
        except OSError:
            return None

    def _greets(self) -> bool:
        if not self.cgroup.populated:
            raise LabError(f"{self.name} went off while booting: see {self.folder}/console.log")
        try:
            with socket.create_connection((self.address, 22), 1) as connection:
                connection.settimeout(2)
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False
