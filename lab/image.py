"""Build the Debian image of all hosts, once. Nothing writes to it later."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from lab.command import run
from lab.state import locked, state_folder

PACKAGES = [
    *("systemd-sysv", "dbus", "openssh-server", "sudo", "python3"),
    *("iproute2", "procps", "ca-certificates", "libstdc++6", "curl"),
]
SUITE = "bookworm"
UNWANTED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
FILES = {
    "etc/machine-id": "",  # each host writes it at its first boot
    "etc/default/locale": "",
    # Without a name server, unknown names fail at once, not after a time-out.
    "etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    "var/log/journal/.keep": "",  # with this folder the journal survives a reboot
}
TIMERS = ("apt-*", "dpkg-db-backup.timer", "e2scrub*", "fstrim.timer", "getty@tty1.service")
"""Units of the image that only cost time."""


def image_folder() -> Path:
    """Return the folder of the image with this recipe, even before it is built."""
    recipe = json.dumps([PACKAGES, SUITE, UNWANTED, FILES, TIMERS])
    return state_folder() / "image" / hashlib.sha256(recipe.encode()).hexdigest()[:12]


def ensure_image(say: Callable[[str], None]) -> Path:
    """Return the image. Build it if it is missing, or if a build was interrupted."""
    image = image_folder()
    with locked(state_folder() / "image.lock") as lock:
        if not image.exists():
            say("building the Debian image (once, about half a minute)")
            _build(image, lock)
    return image


def _build(image: Path, lock: int) -> None:
    partial = image.with_name("partial")
    run("rm", "-rf", "--one-file-system", partial)
    image.parent.mkdir(parents=True, exist_ok=True)
    run(
        "mmdebstrap",
        "--quiet",
        "--variant=essential",
        f"--include={','.join(PACKAGES)}",
        "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude={path}" for path in UNWANTED),
        SUITE,
        partial,
        *_sources(),
        pass_fds=(lock,),  # it holds the lock even if this process is killed
    )
    _furnish(partial)
    partial.rename(image)


def _sources() -> list[Path]:
    """Return the apt sources of this machine, so that the image uses the same mirror."""
    usual = [Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")]
    return [path for path in usual if path.exists()][:1]


def _furnish(root: Path) -> None:
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()  # each host gets its own keys
    (root / "etc/hostname").unlink(missing_ok=True)
    for name, content in FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(content)
    for pattern in TIMERS:
        for link in (root / "etc/systemd/system").glob(f"*.wants/{pattern}"):
            link.unlink()
