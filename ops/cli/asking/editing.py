"""Edit a secret text in $EDITOR, in a private folder in memory that is removed afterwards."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ops.errors import OpsError, UsageError
from ops.files import decode_text, read_bytes, reason

_MEMORY = Path("/dev/shm")  # noqa: S108  the folder in it is private


def edited(name: str, before: str, check: Callable[[str], object]) -> str:
    """Open *before* in $EDITOR, in a file called *name*, and return the new text.

    *check* raises OpsError for a text that cannot be stored. On a terminal the person may then
    edit again, or give up: that raises click.Abort. Without a terminal the error is raised.
    """
    with _private_folder() as folder:
        file = folder / name
        file.touch(mode=0o600)
        file.write_text(before)
        while True:
            click.edit(filename=str(file), require_save=False)
            after = _read(file)
            try:
                check(after)
            except OpsError as error:
                if not sys.stdin.isatty():
                    raise
                click.echo(f"Error: {error}", err=True)
                if not click.confirm("Edit again?", default=True):
                    click.echo("nothing was changed")
                    raise click.Abort from None
            else:
                return after


def _read(file: Path) -> str:
    try:
        return decode_text(file, read_bytes(file))
    except OSError as error:
        why, _ = reason(error)
        raise UsageError(f"the editor left no text: it {why}; nothing was changed") from None


@contextmanager
def _private_folder() -> Iterator[Path]:
    """Yield a folder that is removed even if the terminal is closed in the meantime."""
    before = {number: signal.signal(number, _end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with tempfile.TemporaryDirectory(prefix="ops-", dir=_in_memory()) as folder:
            yield Path(folder)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def _in_memory() -> Path | None:
    """Return a folder in memory; None if this machine has none."""
    places = [Path(os.environ.get("XDG_RUNTIME_DIR") or _MEMORY), _MEMORY]
    return next((place for place in places if os.access(place, os.W_OK | os.X_OK)), None)
