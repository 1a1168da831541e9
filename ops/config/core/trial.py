"""Test a config with the real core: ``xray run -test`` builds everything, but opens no port."""

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
from ops.config.core.placeholders import Placeholders

SECONDS = 60
"""The time limit of one test; 10,000 users take 0.2 s."""
_PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""
_FAILED = re.compile(r"Failed to start: (.*)", re.DOTALL)
_PANIC = re.compile(r"^panic: (.*)", re.MULTILINE)
_WARNING = re.compile(r"\[Warning\] (.*)")
_MODULE = re.compile(r"^(?:[a-z0-9_]+/)*[a-z0-9_]+: ")
_NOISE = re.compile(r"^failed to (?:load config files|decode config|read config file)\b.*$")
"""Parts of a message that name our temporary file, which means nothing to people."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The core's answer about a config."""

    accepted: bool
    message: str = ""
    """The reason of a refusal, in the core's own words."""
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Files that placeholders replaced."""
    in_time: bool = True
    """Whether the core finished within ``SECONDS``."""


@dataclass(frozen=True)
class Bench:
    """A core and a private folder to test with."""

    core: Chosen
    folder: Path

    def test(self, configs: Sequence[tuple[str, dict[str, Any]]]) -> Verdict:
        """Return the core's answer about *configs*, the name and data of each file, in order.

        The core reads a single config from stdin, so that its secrets reach no disk.
        """
        placeholders = Placeholders(self.folder, self.core.program, self.core.data)
        prepared = [(name, placeholders.prepared(data)) for name, data in configs]
        assets = placeholders.assets(data for _, data in prepared)
        settings = _environment(assets)
        words: list[str | Path] = [self.core.program, "run", "-test"]
        if len(prepared) == 1:
            config = json.dumps(prepared[0][1])
            return _run([*words, "-c", "stdin:"], config, settings, placeholders)
        with tempfile.TemporaryDirectory(dir=self.folder) as private:
            for at, (name, data) in enumerate(prepared):
                # The core reads from the name whether a file is a tail, and its format.
                file = Path(private) / f"{at:03}{'-tail' if 'tail' in name.lower() else ''}.json"
                file.write_text(json.dumps(data))
                words += ["-c", file]
            return _run(words, "", settings, placeholders)


@contextmanager
def bench(core: Chosen) -> Iterator[Bench]:
    """Give a bench for tests with *core*; its private folder is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="ops-core-") as folder:
        yield Bench(core, Path(folder))


def dies_with_us() -> Callable[[], object] | None:
    """Return a function for a child process, after which the kernel ends it with this process.

    None if this is not Linux.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "prctl"):
        return None
    return partial(libc.prctl, _PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _environment(assets: Path | None) -> dict[str, str]:
    ours = {name: text for name, text in os.environ.items() if not name.upper().startswith("XRAY")}
    return ours | ({"XRAY_LOCATION_ASSET": str(assets)} if assets else {})


def _run(
    words: list[str | Path], config: str, settings: dict[str, str], placeholders: Placeholders
) -> Verdict:
    missing = tuple(sorted(placeholders.missing))
    try:
        done = subprocess.run(
            words,
            input=config,
            env=settings,
            cwd=placeholders.folder,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=SECONDS,
            preexec_fn=dies_with_us(),  # safe: one system call, prepared before the fork
        )
    except subprocess.TimeoutExpired:
        message = f"the core was still testing it after {SECONDS} s"
        return Verdict(False, message, missing=missing, in_time=False)
    output = done.stdout + done.stderr
    warnings = tuple(dict.fromkeys(_WARNING.findall(output)))
    if done.returncode == 0:
        return Verdict(True, "", warnings, missing)
    return Verdict(False, reason(output) or f"exit code {done.returncode}", warnings, missing)


def reason(output: str) -> str:
    """Return the reason of a failure from the core's *output*, without the names of its modules.

    >>> reason("Failed to start: main: failed to load config files: [stdin:] > infra/conf: bad x")
    'bad x'
    """
    if crash := _PANIC.search(output):
        return f"panic: the core crashes on it: {crash[1]}"
    failure = _FAILED.search(output)
    last = output.strip().splitlines()[-1:] if output.strip() else []
    parts = failure[1].strip().split(" > ") if failure else last
    plain = [_MODULE.sub("", part.strip()) for part in parts]
    return " > ".join(part for part in plain if not _NOISE.match(part))
