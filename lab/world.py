"""The world outside the hosts: the servers and clients of user traffic."""

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
    """A network namespace with servers. Clients run in it, too."""

    lab: Record

    @property
    def namespace(self) -> Path:
        """Return the path of its network namespace."""
        return NAMESPACES / namespace(self.lab.name, "world")

    @property
    def trusted(self) -> Path:
        """Return the certificate of the authority that signed its sites."""
        return self.lab.folder / "ca.crt"

    def entering(self, *argv: str | Path) -> list[str]:
        """Return the command that runs *argv* in the world, with its names in ``/etc/hosts``."""
        enter = ("nsenter", f"--net={self.namespace}", "unshare", "--mount")
        return [*enter, "sh", "-ec", _WITH_NAMES, str(self.lab.folder), *map(str, argv)]

    def start(self) -> None:
        """Start the servers if they do not run, and wait until all listen."""
        self._write_names()
        servers = Cgroup(f"{self.lab.name}/world")
        if not servers.populated:
            words = program("lab.internet", *self._certificate())
            servers.spawn(*self.entering(*words), log=self.lab.folder / "world.log")
        wait_until(lambda: self._listens(servers), "the world's servers listen")

    def connect(self, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """Return a socket in the world, connected to *port* of 127.0.0.1."""
        plain = socket_inside(self.namespace, kind)
        try:
            plain.connect(("127.0.0.1", port))
        except OSError:
            plain.close()
            raise
        return plain

    def free_port(self) -> int:
        """Return a free TCP port of 127.0.0.1 in the world."""
        with socket_inside(self.namespace) as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    def _write_names(self) -> None:
        network = self.lab.network
        own = {f"lab{n}": network.host(n) for n in range(1, self.lab.count + 1)}
        # The files are changed in place, because running programs have them mounted.
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
