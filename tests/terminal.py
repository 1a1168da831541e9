"""Somebody at a terminal: a real one (a pty), on which one command runs."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent.parent


class Terminal:
    """A terminal where somebody has typed ``ops`` and *words*, in *folder*."""

    def __init__(
        self, folder: Path, *words: str, variables: Mapping[str, str] | None = None
    ) -> None:
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ops", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(HERE), **(variables or {})},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""

    def wait_for(self, words: str) -> None:
        """Read on until *words* are shown; OSError if the command ends without."""
        while words not in self.shown:
            self.shown += os.read(self._ours, 4096).decode()

    def types(self, words: str) -> None:
        """Type *words*, and Enter."""
        os.write(self._ours, f"{words}\n".encode())

    def signals(self, number: signal.Signals) -> None:
        """Send *number* to all that runs here, as a terminal does."""
        os.killpg(self._process.pid, number)

    def code(self) -> int:
        """Return the exit code, having read all that was still shown."""
        try:
            while more := os.read(self._ours, 4096):
                self.shown += more.decode()
        except OSError:  # nobody has the other end any more
            pass
        return self._process.wait(timeout=60)
