"""The world beyond the servers: where their users' traffic goes to and comes from."""

import socket
from dataclasses import dataclass
from pathlib import Path

from lab.addresses import SITE, TARGET, TARGET4, TARGET6, hosts_file
from lab.certificates import Authority
from lab.cgroup import Cgroup
from lab.command import program
from lab.errors import LabError
from lab.links import NAMESPACES, namespace
from lab.namespace import socket_inside
from lab.payload import PORT, SITE_PORT, TLS_PORT
from lab.record import Record
from lab.waiting import wait_until

_WITH_NAMES = (
    'mount --bind "$0/world.hosts" /etc/hosts; '
    '! [ -e /etc/resolv.conf ] || mount --bind "$0/world.resolv" /etc/resolv.conf; exec "$@"'
)


@dataclass(frozen=True, slots=True)
class World:
    """A network namespace with servers of its own; clients run in it, too."""

    lab: Record

    @property
    def namespace(self) -> Path:
        """Return its network namespace."""
        return NAMESPACES / namespace(self.lab.name, "world")

    @property
    def trusted(self) -> Path:
        """Return the certificate that its sites are signed with."""
        return self.lab.folder / "ca.crt"

    def entering(self, *argv: str | Path) -> list[str]:
        """Return the words that run *argv* in it, with its names in ``/etc/hosts``."""
        enter = ("nsenter", f"--net={self.namespace}", "unshare", "--mount")
        return [*enter, "sh", "-ec", _WITH_NAMES, str(self.lab.folder), *map(str, argv)]

    def start(self) -> None:
        """Start its servers unless they run, and return when all listen."""
        self._write_names()
        servers = Cgroup(f"{self.lab.name}/world")
        if not servers.populated:
            words = program("lab.internet", *self._certificate())
            servers.spawn(*self.entering(*words), log=self.lab.folder / "world.log")
        wait_until(lambda: self._listens(servers), "the world's servers listen")

    def connect(self, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """Return a connection to a port of 127.0.0.1 as seen from inside the world."""
        plain = socket_inside(self.namespace, kind)
        try:
            plain.connect(("127.0.0.1", port))
        except OSError:
            plain.close()
            raise
        return plain

    def free_port(self) -> int:
        """Return a TCP port on 127.0.0.1 in the world that nobody listens on."""
        with socket_inside(self.namespace) as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    def _write_names(self) -> None:
        network = self.lab.network
        own = {f"lab{n}": network.host(n) for n in range(1, self.lab.count + 1)}
        # In place: the file is mounted where the world's programs look.
        (self.lab.folder / "world.hosts").write_text(hosts_file(own))
        (self.lab.folder / "world.resolv").write_text("nameserver 127.0.0.1\noptions attempts:1\n")

    def _certificate(self) -> tuple[Path, Path]:
        certificate, key = self.lab.folder / "world.crt", self.lab.folder / "world.key"
        if not certificate.exists():
            issued = Authority.in_folder(self.lab.folder).issue(SITE, TARGET, TARGET4, TARGET6)
            key.touch(mode=0o600)
            key.write_bytes(issued.key)
            certificate.write_bytes(issued.certificate)
        return certificate, key

    def _listens(self, servers: Cgroup) -> bool:
        if not servers.populated:
            raise LabError(f"the world's servers ended: see {self.lab.folder}/world.log")
        try:
            for port in (PORT, TLS_PORT, SITE_PORT):
                self.connect(port).close()
        except OSError:
            return False
        return True
