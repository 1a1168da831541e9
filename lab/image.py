"""One Debian image for all hosts of all labs, built once and never written to again."""

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
    "etc/machine-id": "",  # made at each host's first boot
    "etc/default/locale": "",
    # No name server: names fail at once instead of after a time-out.
    "etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    "var/log/journal/.keep": "",  # the folder makes the journal survive a reboot
}
TIMERS = ("apt-*", "dpkg-db-backup.timer", "e2scrub*", "fstrim.timer", "getty@tty1.service")
"""What would only wake the machine up."""


def image_folder() -> Path:
    """Return where the image of this recipe lies, or will."""
    recipe = json.dumps([PACKAGES, SUITE, UNWANTED, FILES, TIMERS])
    return state_folder() / "image" / hashlib.sha256(recipe.encode()).hexdigest()[:12]


def ensure_image(say: Callable[[str], None]) -> Path:
    """Build the image unless it is there; an interrupted build is no image."""
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
        pass_fds=(lock,),  # it keeps the lock should we be killed and it live on
    )
    _furnish(partial)
    partial.rename(image)


def _sources() -> list[Path]:
    """Return the machine's own apt sources: the mirror that works here is used."""
    usual = [Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")]
    return [path for path in usual if path.exists()][:1]


def _furnish(root: Path) -> None:
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()  # the package made one set; each host gets its own
    (root / "etc/hostname").unlink(missing_ok=True)
    for name, content in FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(content)
    for pattern in TIMERS:
        for link in (root / "etc/systemd/system").glob(f"*.wants/{pattern}"):
            link.unlink()
