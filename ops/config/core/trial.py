"""Have the real core test a config: ``xray run -test`` builds everything and binds nothing."""

import ctypes
import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ops.config.core.chosen import Chosen
from ops.config.core.standins import StandIns

SECONDS = 60
"""The longest that one test may take; 10,000 users take 0.2 s."""
_PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""
_FAILED = re.compile(r"Failed to start: (.*)", re.DOTALL)
_PANIC = re.compile(r"^panic: (.*)", re.MULTILINE)
_WARNING = re.compile(r"\[Warning\] (.*)")
_MODULE = re.compile(r"^(?:[a-z0-9_]+/)*[a-z0-9_]+: ")
_NOISE = re.compile(r"^failed to (?:load config files|decode config|read config file)\b.*$")
"""Which file, and which line of it: of what was handed to the core, not of what people wrote."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the core said of a config."""

    accepted: bool
    message: str = ""
    """Why not, in the core's own words."""
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """What was stood in for."""
    in_time: bool = True


@dataclass(frozen=True)
class Bench:
    """A core and a private folder to test with."""

    core: Chosen
    folder: Path

    def test(self, configs: Sequence[tuple[str, dict[str, Any]]]) -> Verdict:
        """Return what the core says of *configs*: a name and the data of each file, in order.

        One is given to it by stdin, so that no secret in it is written anywhere.
        """
        ins = StandIns(self.folder, self.core.program, self.core.data)
        prepared = [(name, ins.prepared(data)) for name, data in configs]
        assets = ins.assets(data for _, data in prepared)
        settings = _environment(assets)
        words: list[str | Path] = [self.core.program, "run", "-test"]
        if len(prepared) == 1:
            return _run([*words, "-c", "stdin:"], json.dumps(prepared[0][1]), settings, ins)
        with tempfile.TemporaryDirectory(dir=self.folder) as private:
            for at, (name, data) in enumerate(prepared):
                # Whether a file is a tail is read from its name, and so is its form.
                file = Path(private) / f"{at:03}{'-tail' if 'tail' in name.lower() else ''}.json"
                file.write_text(json.dumps(data))
                words += ["-c", file]
            return _run(words, "", settings, ins)


@contextmanager
def bench(core: Chosen) -> Iterator[Bench]:
    """Give a bench to test configs on; its private folder goes at the end."""
    with tempfile.TemporaryDirectory(prefix="ops-core-") as folder:
        yield Bench(core, Path(folder))


def dies_with_us() -> Callable[[], object] | None:
    """Return what a child does so that the kernel ends it when this process ends; Linux only."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "prctl"):
        return None
    return partial(libc.prctl, _PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _environment(assets: Path | None) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.upper().startswith("XRAY")}
    return kept | ({"XRAY_LOCATION_ASSET": str(assets)} if assets else {})


def _run(words: list[str | Path], config: str, settings: dict[str, str], ins: StandIns) -> Verdict:
    missing = tuple(sorted(ins.missing))
    try:
        done = subprocess.run(
            words,
            input=config,
            env=settings,
            cwd=ins.folder,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=SECONDS,
            preexec_fn=dies_with_us(),  # one system call, looked up before the fork
        )
    except subprocess.TimeoutExpired:
        message = f"the core was still testing it after {SECONDS} s"
        return Verdict(False, message, missing=missing, in_time=False)
    said = done.stdout + done.stderr
    warnings = tuple(dict.fromkeys(_WARNING.findall(said)))
    if done.returncode == 0:
        return Verdict(True, "", warnings, missing)
    return Verdict(False, reason(said) or f"exit code {done.returncode}", warnings, missing)


def reason(said: str) -> str:
    """Return why the core failed, out of all that it *said*: its words, without its modules.

    >>> reason("Failed to start: main: failed to load config files: [stdin:] > infra/conf: bad x")
    'bad x'
    """
    if crash := _PANIC.search(said):
        return f"panic: the core crashes on it: {crash[1]}"
    found = _FAILED.search(said)
    last = said.strip().splitlines()[-1:] if said.strip() else []
    parts = found[1].strip().split(" > ") if found else last
    plain = [_MODULE.sub("", part.strip()) for part in parts]
    return " > ".join(part for part in plain if not _NOISE.match(part))
