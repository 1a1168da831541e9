"""Install ansible, pinned, in a virtual environment of its own for the bench."""

import hashlib
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).with_name("requirements.lock")
"""The lock file of ``ansible-core``.

Made with ``uv pip compile --universal --python-version 3.11 --generate-hashes
--no-emit-index-url``.
"""
BIN = Path(sys.executable).parent


def ensure_ansible(state: Path) -> Path:
    """Return the program ``ansible``. Install it in *state* if it is missing."""
    venv = state / f"ansible-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    program = venv / "bin" / "ansible"
    if not (venv / "installed").exists():
        print("installing ansible into a virtual environment of its own", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        pip = [str(venv / "bin" / "pip"), "--disable-pip-version-check", "-q", "install"]
        subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True)
        (venv / "installed").touch()
    return program
