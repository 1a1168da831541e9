"""Run a command over an ssh connection: bounded in memory and time, and told in sentences."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncssh

from ops.counting.tunnel.frame import LARGEST, NOISE, complaint, unframed
from ops.errors import HostError, TunnelError

_CHUNK = 1 << 16
_TIMED_OUT = (124, 137)
"""What ``timeout`` returns."""
_SUDO = re.compile(r"^.*sudo: .*$", re.MULTILINE)
_MEANINGS = {
    "No space left on device": "its disk is full: make room on it",
    "Read-only file system": "its file system is read-only: see `dmesg` on it",
    "Cannot allocate memory": "its memory is used up",
}
"""What the kernel says, and what people call it."""


class CommandError(HostError):
    """A command failed on the host; its reason is what the host complained of."""


class FloodError(TunnelError):
    """A host that prints without end; nothing more is read from it."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What a process printed until its frame ended, and its exit status where it is known."""

    stdout: bytes
    stderr: bytes
    status: int | None


async def execute(
    connection: asyncssh.SSHClientConnection, words: str, given: str, mark: str, host: str
) -> Printed:
    """Return what *words* print until the frame called *mark* ends; FloodError if that is late.

    The process is not waited for: a login script may have started jobs that never end.
    """
    stdin: Mapping[str, Any] = {} if given else {"stdin": asyncssh.DEVNULL}
    process = await connection.create_process(words, encoding=None, **stdin)
    try:
        if given:
            with suppress(OSError):  # it ended without listening: what it printed tells why
                process.stdin.write(given.encode())
                process.stdin.write_eof()
        end = b"\n=end-%s=\n" % mark.encode()
        stdout, stderr = await asyncio.gather(
            _until(process.stdout, end, LARGEST + NOISE, host),
            _until(process.stderr, end, NOISE, host),
        )
        if end not in stdout[-len(end) - NOISE :]:
            await process.wait_closed()
        return Printed(stdout, stderr, process.returncode)
    finally:
        process.close()


async def _until(stream: Any, end: bytes, most: int, host: str) -> bytes:
    """Return what *stream* holds until *end*, which lies in one of its last two pieces."""
    held = bytearray()
    while part := await stream.read(_CHUNK):
        held += part
        if held.find(end, max(0, len(held) - len(part) - len(end))) >= 0:
            break
        if len(held) > most:
            raise FloodError(host, f"it printed more than {most >> 20} MiB: nothing is read of it")
    return bytes(held)


def output_of(printed: Printed, mark: str, host: str, user: str) -> str:
    """Return the output of a command that ended well; CommandError or TunnelError if none did."""
    found = unframed(printed.stdout, mark)
    if found and found.status == 0:
        return found.output
    said = complaint(printed.stderr, mark)
    if found is None:
        raise _not_run(printed, said, host, user)
    if found.status is None:
        raise FloodError(host, f"it printed more than {LARGEST >> 20} MiB: nothing is read of it")
    raise CommandError(host, _explained(said) or f"a command ended with status {found.status}")


def _not_run(printed: Printed, said: str, host: str, user: str) -> HostError:
    """Return why no whole frame came: nothing was run, or something was printed into it."""
    errors = printed.stderr.decode("utf-8", "replace")
    if sudo := _SUDO.findall(errors):
        return CommandError(
            host,
            f"{user} may not use sudo on it without a password ({sudo[-1].strip()}): allow it in"
            ' /etc/sudoers.d, or set ssh_user = "root"',
        )
    if printed.status in _TIMED_OUT:
        return TunnelError(host, "ssh is up, but a command did not end in time")
    if b"=begin-" in printed.stdout:
        return CommandError(host, "what it prints is mixed with the output of other programs")
    said = said or " ".join(printed.stdout.decode("utf-8", "replace").split())[-200:]
    return CommandError(host, f"its login shell runs no commands: {_explained(said) or 'no word'}")


def _explained(said: str) -> str:
    meaning = next((text for sign, text in _MEANINGS.items() if sign in said), "")
    return f"{meaning} ({said})" if meaning else said
