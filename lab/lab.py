"""A lab: some hosts, and a world with servers and clients. Nothing else can be reached."""

import fcntl
import os
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lab import links, record
from lab.addresses import MOST_HOSTS
from lab.certificates import Authority
from lab.cgroup import Cgroup
from lab.client import run_client
from lab.errors import LabError
from lab.furnish import Layer, furnish
from lab.host import Host
from lab.image import ensure_image
from lab.machine import prepare
from lab.ssh import ensure_login_key
from lab.state import clear, locked, state_folder
from lab.traffic import Client
from lab.world import World

Say = Callable[[str], None]
"""Prints one line of progress."""


def silent(_: str) -> None:
    """Print nothing."""


class Lab:
    """A running lab. A `with` block ends it."""

    def __init__(self, written: record.Record, alive: int | None = None) -> None:
        self.record = written
        self._alive = alive

    @classmethod
    def up(
        cls,
        name: str = record.DEFAULT,
        count: int = 3,
        *,
        transient: bool = False,
        say: Say = silent,
    ) -> Self:
        """Start the lab *name*. Running hosts stay; missing or broken parts are made.

        A *transient* lab ends with this process. If the process is killed, :func:`sweep` ends it.
        """
        if not 1 <= count <= MOST_HOSTS:
            raise LabError(f"a lab has 1 to {MOST_HOSTS} hosts, not {count}")
        prepare()
        with locked(_lock(name)):
            links.refuse_stranger(name)
            # The lock comes before the record. Otherwise `sweep` could take the lab for an orphan.
            alive = _hold(record.alive_file(name)) if transient else None
            lab = cls(record.claim(name, count, transient=transient), alive)
            try:
                lab._make(say)
            except BaseException:
                if alive is not None:
                    lab._remove()
                raise
        return lab

    @classmethod
    def find(cls, name: str = record.DEFAULT) -> Self:
        """Return the lab *name*; LabError if there is none."""
        written = record.read(name)
        if not written:
            raise LabError(f"no lab called {name} is up: python -m lab --name {name} up 3")
        return cls(written)

    @property
    def name(self) -> str:
        """Return the name of the lab."""
        return self.record.name

    @property
    def folder(self) -> Path:
        """Return the folder with all files of the lab."""
        return self.record.folder

    @property
    def private_key(self) -> Path:
        """Return the private ssh key for all hosts."""
        return self.folder / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """Return the known_hosts file with all hosts."""
        return self.folder / "known_hosts"

    @property
    def authority(self) -> Authority:
        """Return the certificate authority that the hosts and the world trust."""
        return Authority.in_folder(self.folder)

    @cached_property
    def hosts(self) -> tuple[Host, ...]:
        """Return the hosts in their order, lab1 first."""
        return tuple(Host(self.record, index) for index in range(1, self.record.count + 1))

    @property
    def world(self) -> World:
        """Return the world: the servers and clients outside the hosts."""
        return World(self.record)

    def client(self, config: str | Mapping[str, Any]) -> AbstractContextManager[Client]:
        """Run the real Xray client in the world with *config*, as JSON or as a dict."""
        return run_client(self.record, config)

    def host(self, name: str) -> Host:
        """Return the host *name*; LabError if there is none."""
        for host in self.hosts:
            if host.name == name:
                return host
        names = ", ".join(host.name for host in self.hosts)
        raise LabError(f"lab {self.name} has no host {name}: it has {names}")

    def down(self) -> None:
        """End the processes of the lab and remove it. The guard routes stay."""
        with locked(lock := _lock(self.name)):
            links.refuse_stranger(self.name)
            self._remove()
            lock.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()

    def _make(self, say: Say) -> None:
        image = ensure_image(say)
        say(f"making {len(self.hosts)} hosts and a world for them")
        ensure_login_key(self.private_key)
        network = self.record.network
        links.make_switch(self.name, network)
        links.make_world(self.name, network)
        self.world.start()
        for host in self.hosts:
            links.make_host(self.name, host.name, host.index, network)
            host.clear_faults()
            self._furnish(host, image)
        self._write_known_hosts()
        say("booting them")
        with ThreadPoolExecutor(max_workers=16) as pool:
            list(pool.map(Host.start, self.hosts))

    def _furnish(self, host: Host, image: Path) -> None:
        if host.folder.exists():
            return
        partial = host.folder.with_name(f"{host.name}.new")
        shutil.rmtree(partial, ignore_errors=True)
        for part in ("work", "root"):
            (partial / part).mkdir(parents=True)
        # The upper layer of a disk fits only its own image, even after a change of the recipe.
        (partial / "image").symlink_to(image)
        furnish(
            Layer(image, partial / "up"),
            host.name,
            (host.address, host.address6),
            login_key=self.private_key.with_suffix(".pub").read_text(),
            authority=self.authority,
        )
        partial.rename(host.folder)

    def _write_known_hosts(self) -> None:
        lines = [line for host in self.hosts for line in host.known_hosts_lines]
        self.known_hosts.write_text("\n".join(lines) + "\n")

    def _remove(self) -> None:
        Cgroup(self.name).remove()
        links.remove(self.name)
        shutil.rmtree(self.folder, ignore_errors=True)
        record.alive_file(self.name).unlink(missing_ok=True)
        if self._alive is not None:
            os.close(self._alive)
            self._alive = None


def every_lab() -> list[Lab]:
    """Return all labs of the state folder, sorted by name."""
    return [Lab(written) for written in record.every()]


def sweep() -> list[str]:
    """End the transient labs of dead processes, and return their names."""
    dead = [lab for lab in every_lab() if lab.record.orphaned]
    for lab in dead:
        lab.down()
    return [lab.name for lab in dead]


def purge() -> None:
    """End all labs, and remove all images, cores and guard routes."""
    for lab in every_lab():
        lab.down()
    links.remove_guards()
    clear()


def _lock(name: str) -> Path:
    return state_folder() / "labs" / f"{name}.lock"


def _hold(file: Path) -> int | None:
    """Lock *file*, and return its descriptor; None if another process has the lock.

    The lock ends with the descriptor, or with this process.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
