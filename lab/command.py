"""Run programs of this machine."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError


def run(
    *argv: str | Path,
    input: str | bytes | None = None,
    check: bool = True,
    pass_fds: Sequence[int] = (),
) -> str:
    """Run a program and return its stdout; LabError with its stderr if it fails."""
    words = [str(word) for word in argv]
    data = input.encode() if isinstance(input, str) else input
    done = subprocess.run(
        words,
        input=data,
        stdin=subprocess.DEVNULL if data is None else None,
        capture_output=True,
        check=False,
        pass_fds=pass_fds,
    )
    if check and done.returncode:
        output = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise LabError(f"{' '.join(words[:4])} failed: {output or f'exit {done.returncode}'}")
    return done.stdout.decode(errors="replace")


def program(module: str, *argv: str | Path) -> list[str]:
    """Return the command that runs one of our modules, from any folder."""
    here = Path(__file__).resolve().parent.parent
    return ["env", f"PYTHONPATH={here}", sys.executable, "-m", module, *map(str, argv)]
