"""Run the bench in its own namespaces: a network without a way out, and its own /run."""

import os
import subprocess
import sys
from pathlib import Path

INSIDE = "XRAY_OPS_BENCH_INSIDE"
SSHD = "/usr/sbin/sshd"
_SETUP = """
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 755 /run/sshd /run/xray /run/lock
# A login shell reads these files, and would measure the settings of this user, too.
for file in ~/.bashrc ~/.bash_profile ~/.bash_login ~/.profile; do
  if [ -e "$file" ]; then mount --bind /dev/null "$file"; fi
done
ip link set lo up
exec "$@"
"""


def enter(module: str = "bench") -> None:
    """Return if this process is inside; outside, start *module* again inside, in its place.

    SystemExit with a sentence if the process lacks the rights or sshd.
    """
    if INSIDE in os.environ:
        return
    if os.geteuid() != 0:
        sys.exit("The bench needs root: it makes a network namespace and runs an sshd in it.")
    if not Path(SSHD).exists():
        sys.exit(f"The bench needs {SSHD}: apt-get install openssh-server")
    again = [sys.executable, "-m", module, *sys.argv[1:]]
    os.environ[INSIDE] = "yes"
    words = ["unshare", "--net", "--mount", "sh", "-ec", _SETUP, "sh", *again]
    os.execvp(words[0], words)  # noqa: S606 (no shell is wanted)


def leads_nowhere() -> bool:
    """Return whether the loopback is the only network link."""
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    return len(links.splitlines()) == 1 and "lo:" in links and Path("/run/xray").is_dir()
