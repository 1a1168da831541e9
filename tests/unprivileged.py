"""Run `ops` as a user whom the permissions of files bind, many times, quickly.

root passes by every permission, so the runner gives up those two capabilities of root. It imports
the verbs once and forks for each run.
"""

import importlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WITHOUT = "-dac_override,-dac_read_search"
GROUPS = "groups"
"""In place of a verb: read the fleet as pyinfra's inventory does, then ask for the version."""
VERBS = ("collect", "core", "init", "ledger", "link", "render", "secrets", "usage", "validate")


@dataclass(frozen=True)
class Ran:
    """What came of one run."""

    code: int
    """Negative where it had to be killed."""
    out: str
    err: str
    seconds: float


class Runner:
    """Runs `ops` in a process that is bound by permissions."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ops(self, words: Sequence[str], cwd: Path, settings: Mapping[str, str] = {}) -> Ran:
        """Return what came of `ops` with *words*, in *cwd*."""
        assert self._process.stdin
        assert self._process.stdout
        asked = {"words": list(words), "cwd": str(cwd), "settings": dict(settings)}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return Ran(**json.loads(self._process.stdout.readline()))


def binding() -> list[str] | None:
    """Return the words that make permissions bind a command; None where there are none."""
    if os.geteuid():
        return []
    return ["setpriv", f"--bounding-set={WITHOUT}"] if shutil.which("setpriv") else None


@contextmanager
def runner() -> Iterator[Runner]:
    """Give a runner; its process ends with the block."""
    words = [*(binding() or []), sys.executable, "-m", "tests.unprivileged"]
    root = Path(__file__).parent.parent
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        yield Runner(process)
        process.kill()


def _serve() -> None:
    for verb in VERBS:
        importlib.import_module(f"ops.cli.{verb}")
    importlib.import_module("ops.ledger")
    importlib.import_module("ops.fleet.inventory.strict")
    for line in sys.stdin:
        asked = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            began = time.monotonic()
            child = os.fork()
            if not child:
                _run(asked, out.fileno(), err.fileno())
            code = _ended(child)
            seconds = time.monotonic() - began
            said = [_text(file) for file in (out, err)]
        answer = {"code": code, "out": said[0], "err": said[1], "seconds": seconds}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _text(file: "tempfile._TemporaryFileWrapper[bytes] | io.BufferedRandom") -> str:
    file.seek(0)
    return file.read(1 << 20).decode(errors="replace")


def _run(asked: dict[str, object], out: int, err: int) -> None:
    code = 99
    try:
        os.setpgid(0, 0)
        nothing = os.open(os.devnull, os.O_RDWR)
        for target, source in ((0, nothing), (1, out), (2, err)):
            os.dup2(source, target)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        os.environ.update(asked["settings"])  # type: ignore[call-overload]
        os.chdir(str(asked["cwd"]))
        sys.argv = ["ops", *asked["words"]]  # type: ignore[misc]
        if sys.argv[1] == GROUPS:
            importlib.import_module("ops.fleet.inventory").pyinfra_groups(Path.cwd())
            sys.argv[1:] = ["--version"]
        importlib.import_module("ops.cli").main()
    except SystemExit as error:
        code = int(error.code or 0)
    except BaseException:  # noqa: BLE001  whatever it is, the test shows it
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                code = 98
        os._exit(code)


def _ended(child: int) -> int:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -9


if __name__ == "__main__":
    _serve()
