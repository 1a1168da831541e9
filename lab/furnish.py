"""Write the files that turn the image into a host: name, keys, users, sshd, certificate."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from lab.addresses import hosts_file, public_name
from lab.certificates import Authority
from lab.ssh import make_key_pair

ADMIN = "admin"
ADMIN_ID = 1000
CERTIFICATE = "/etc/ssl/lab/host.crt"
CERTIFICATE_KEY = "/etc/ssl/lab/host.key"

_SSHD = {
    "lab2": "PermitRootLogin no\n",
    "lab3": "AllowStreamLocalForwarding no\nAllowTcpForwarding no\n",
}


def ssh_user(host: str) -> str:
    """Return the ssh user of *host*: root, but on lab2 a user with sudo."""
    return ADMIN if host == "lab2" else "root"


@dataclass(frozen=True, slots=True)
class Layer:
    """The files of a host that differ from the image: the upper layer of its overlay."""

    image: Path
    up: Path

    def place(self, path: str, content: str | bytes, mode: int = 0o644, owner: int = 0) -> None:
        """Write a file. Its folders get their owner and mode from the image."""
        file = self.up / path
        for parent in reversed(file.relative_to(self.up).parents):
            self.folder(str(parent))
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(mode)
        os.chown(file, owner, owner)

    def folder(self, path: str, mode: int = 0o755, owner: int = 0) -> None:
        """Make a folder if it is missing."""
        folder, below = self.up / path, self.image / path
        if folder.exists():
            return
        folder.mkdir()
        if below.exists():
            shutil.copystat(below, folder)
        else:
            folder.chmod(mode)
            os.chown(folder, owner, owner)

    def append(self, path: str, line: str) -> None:
        """Copy a file of the image, and append *line*."""
        below = self.image / path
        self.place(path, below.read_text() + line + "\n", below.stat().st_mode & 0o777)
        status = below.stat()
        os.chown(self.up / path, status.st_uid, status.st_gid)


def furnish(
    layer: Layer, name: str, addresses: tuple[str, str], *, login_key: str, authority: Authority
) -> None:
    """Write all files of the host *name*."""
    layer.up.mkdir(parents=True)
    layer.up.chmod(0o755)
    layer.place("etc/hostname", f"{name}\n")
    layer.place("etc/hosts", hosts_file({name: addresses}))
    layer.place("etc/ssh/sshd_config.d/lab.conf", "PasswordAuthentication no\n" + _sshd(name))
    key = make_key_pair()
    layer.place("etc/ssh/ssh_host_ed25519_key", key.private, 0o600)
    layer.place("etc/ssh/ssh_host_ed25519_key.pub", key.public + "\n")
    _let_in(layer, ssh_user(name), login_key)
    _certify(layer, authority, (public_name(name), name, *addresses))


def _sshd(name: str) -> str:
    return _SSHD.get(name, "")


def _let_in(layer: Layer, user: str, login_key: str) -> None:
    home, owner = "root", 0
    if user == ADMIN:
        home, owner = f"home/{ADMIN}", ADMIN_ID
        layer.append("etc/passwd", f"{ADMIN}:x:{owner}:{owner}::/{home}:/bin/bash")
        layer.append("etc/group", f"{ADMIN}:x:{owner}:")
        layer.append("etc/shadow", f"{ADMIN}:*:20000:0:99999:7:::")
        layer.place(f"etc/sudoers.d/{ADMIN}", f"{ADMIN} ALL=(ALL) NOPASSWD: ALL\n", 0o440)
        layer.folder("home")
        layer.folder(home, 0o700, owner)
    layer.folder(home)
    layer.folder(f"{home}/.ssh", 0o700, owner)
    layer.place(f"{home}/.ssh/authorized_keys", login_key, 0o600, owner)


def _certify(layer: Layer, authority: Authority, names: tuple[str, ...]) -> None:
    issued, trusted = authority.issue(*names), authority.certificate.read_text()
    layer.place(CERTIFICATE[1:], issued.certificate)
    layer.place(CERTIFICATE_KEY[1:], issued.key, 0o600)
    # The first file survives update-ca-certificates; programs read the second one.
    layer.place("usr/local/share/ca-certificates/xray-ops-lab.crt", trusted)
    layer.append("etc/ssl/certs/ca-certificates.crt", trusted)
