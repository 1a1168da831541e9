"""One host of a lab: its names, its login, and faults to apply to it."""

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
"""The part of a host's control group without systemd-nspawn itself."""
_POWER_OFF = signal.SIGRTMIN + 4
"""The signal that makes systemd, as PID 1, shut down (systemd(1))."""


@dataclass(frozen=True, slots=True)
class Host:
    """A Debian server with systemd, sshd and its own addresses."""

    lab: Record
    index: int

    @property
    def name(self) -> str:
        """Return the host name: lab1, lab2 and so on."""
        return f"lab{self.index}"

    @property
    def address(self) -> str:
        """Return the IPv4 address."""
        return self.lab.network.host(self.index)[0]

    @property
    def address6(self) -> str:
        """Return the IPv6 address."""
        return self.lab.network.host(self.index)[1]

    @property
    def public_name(self) -> str:
        """Return the name for clients, which is in its certificate."""
        return public_name(self.name)

    @property
    def ssh_user(self) -> str:
        """Return the ssh user."""
        return ssh_user(self.name)

    @property
    def folder(self) -> Path:
        """Return the folder with its disk."""
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
        """Return its two lines of a known_hosts file: for IPv4 and IPv6."""
        return tuple(f"{address} {self.host_key}" for address in (self.address, self.address6))

    @property
    def cgroup(self) -> Cgroup:
        """Return the control group of its processes."""
        return Cgroup(f"{self.lab.name}/{self.name}")

    @property
    def state(self) -> Literal["on", "off", "paused"]:
        """Return whether the host runs, does not run, or hangs."""
        if not self.cgroup.populated:
            return "off"
        frozen = self.cgroup.path / _PAYLOAD / "cgroup.freeze"
        return "paused" if frozen.exists() and frozen.read_text().strip() == "1" else "on"

    def ssh_command(self, *command: str) -> list[str]:
        """Return the ssh command that logs in, or runs *command* if it is given."""
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
        """Run a shell command as root over ssh; LabError if it fails and *check* is true."""
        words = command
        if self.ssh_user != "root":
            words = f"sudo -n sh -c {shlex.quote(command)}"
        data = input.encode() if isinstance(input, str) else input
        raw = subprocess.run(
            self.ssh_command(words), input=data, capture_output=True, timeout=timeout, check=False
        )
        output, complaint = raw.stdout.decode(errors="replace"), raw.stderr.decode(errors="replace")
        if check and raw.returncode:
            reason = (complaint or output).strip() or f"exit {raw.returncode}"
            raise LabError(f"{self.name}: {command.splitlines()[0][:80]}: {reason}")
        return subprocess.CompletedProcess(raw.args, raw.returncode, output, complaint)

    def put(self, content: bytes | str | Path, path: str, mode: int = 0o644) -> None:
        """Write a file as root, atomically, and make its folders."""
        data = content.read_bytes() if isinstance(content, Path) else content
        target = shlex.quote(path)
        self.run(
            f"set -e; umask 077; (umask 022; mkdir -p $(dirname {target})); cat >{target}.new; "
            f"chmod {mode:o} {target}.new; mv {target}.new {target}",
            input=data,
        )

    def cut(self) -> None:
        """Pull the network cable."""
        faults.plug(self.lab.name, self.name, in_=False)

    def heal(self) -> None:
        """Plug the network cable in again."""
        faults.plug(self.lab.name, self.name, in_=True)

    def drop(self) -> None:
        """Drop every packet to and from the host silently."""
        self.loss(100)

    def undrop(self) -> None:
        """Stop dropping packets."""
        self.loss(0)

    def loss(self, percent: float) -> None:
        """Drop *percent* of the packets each way. 0 ends the loss."""
        faults.lose(self.lab.name, self.name, percent)

    def delay(self, milliseconds: float) -> None:
        """Delay every packet by *milliseconds* each way. 0 ends the delay."""
        faults.delay(self.lab.name, self.name, milliseconds, self.lab.folder / "wire.log")

    def pause(self) -> None:
        """Make the host hang: it accepts connections and never answers."""
        self.cgroup.freeze(True, _PAYLOAD)

    def resume(self) -> None:
        """Continue the host after :meth:`pause`."""
        self.cgroup.freeze(False, _PAYLOAD)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Run the host before all other processes, as if it had its own processors."""
        self.cgroup.schedule(os.SCHED_RR, 1, _PAYLOAD)
        try:
            yield
        finally:
            self.cgroup.schedule(os.SCHED_OTHER, 0, _PAYLOAD)

    def crash(self) -> None:
        """Cut the power: kill all processes, and leave the disk as it is."""
        self.cut()  # a dead host sends no packet, not even a reset
        self.cgroup.kill()

    def boot(self) -> None:
        """Start booting the host if it is off. Do not wait."""
        self.heal()
        if self.cgroup.populated:
            return
        words = ("bash", _BOOT, self.name, self.folder, self.namespace)
        log = self.folder / "console.log"
        self.cgroup.spawn("unshare", "--mount", *words, self.cgroup.inner, log=log)

    def start(self) -> None:
        """Switch the host on, and wait until it has booted."""
        self.boot()
        self.wait_booted()

    def poweroff(self) -> None:
        """Shut the host down, and wait until it is off."""
        leader = self._leader()
        if leader:
            os.kill(leader, _POWER_OFF)
        wait_until(lambda: not self.cgroup.populated, f"{self.name} shuts down")
        self.cut()

    def reboot(self) -> None:
        """Reboot the host, and wait until it has booted."""
        before = self._leader()
        self.run("systemctl reboot", check=False)  # the connection may break before the answer
        wait_until(lambda: self._leader() not in (None, before), f"{self.name} boots anew")
        self.wait_booted()

    def clear_faults(self) -> None:
        """End the effects of :meth:`cut`, :meth:`loss`, :meth:`delay` and :meth:`pause`."""
        self.heal()
        self.undrop()
        self.delay(0)
        if self.state == "paused":
            self.resume()

    def wait_booted(self) -> None:
        """Wait until sshd answers and systemd has finished booting."""
        wait_until(self._greets, f"{self.name} answers on ssh (see {self.folder}/console.log)")
        self.run("systemctl is-system-running --wait", check=False)

    def renew_certificate(self, *, same_key: bool = False) -> None:
        """Give the host a new certificate, as a renewal does. The private key comes first."""
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
