"""Run a command over an ssh connection, with limits on output and time.

Failures become sentences that name the cause and the remedy.
"""

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
"""Exit statuses of ``timeout`` (GNU coreutils) after it ended a command."""
_SUDO = re.compile(r"^.*sudo: .*$", re.MULTILINE)
_MEANINGS = {
    "No space left on device": "its disk is full: make room on it",
    "Read-only file system": "its file system is read-only: see `dmesg` on it",
    "Cannot allocate memory": "its memory is used up",
}
"""Messages of the kernel, each with an explanation."""


class CommandError(HostError):
    """A command failed on the host; the reason is the host's own complaint."""


class FloodError(TunnelError):
    """A host prints too much; nothing more is read from it."""


@dataclass(frozen=True, slots=True)
class ProcessOutput:
    """The output of a process up to the end of its frame, and its exit status, None if unknown."""

    stdout: bytes
    stderr: bytes
    status: int | None


async def execute(
    connection: asyncssh.SSHClientConnection, words: str, stdin: str, mark: str, host: str
) -> ProcessOutput:
    """Run *words* and return their output up to the end of the frame called *mark*.

    *stdin* is the standard input. Raise FloodError if the output exceeds its limit before that end.
    The process itself is not awaited, because a login script can start jobs that never end.
    """
    no_input: Mapping[str, Any] = {} if stdin else {"stdin": asyncssh.DEVNULL}
    process = await connection.create_process(words, encoding=None, **no_input)
    try:
        if stdin:
            with suppress(OSError):  # it ended without reading stdin; its output has the reason
                process.stdin.write(stdin.encode())
                process.stdin.write_eof()
        end = b"\n=end-%s=\n" % mark.encode()
        stdout, stderr = await asyncio.gather(
            _until(process.stdout, end, LARGEST + NOISE, host),
            _until(process.stderr, end, NOISE, host),
        )
        if end not in stdout[-len(end) - NOISE :]:
            await process.wait_closed()
        return ProcessOutput(stdout, stderr, process.returncode)
    finally:
        process.close()


async def _until(stream: Any, end: bytes, most: int, host: str) -> bytes:
    """Return the data of *stream* up to the read that completes *end*, or up to its close.

    Raise FloodError for more than *most* bytes.
    """
    data = bytearray()
    while part := await stream.read(_CHUNK):
        data += part
        if data.find(end, max(0, len(data) - len(part) - len(end))) >= 0:
            break
        if len(data) > most:
            raise FloodError(host, f"it printed more than {most >> 20} MiB: nothing is read of it")
    return bytes(data)


def output_of(printed: ProcessOutput, mark: str, host: str, user: str) -> str:
    """Return the command's own output; CommandError or TunnelError if its exit status is not 0."""
    framed = unframed(printed.stdout, mark)
    if framed and framed.status == 0:
        return framed.output
    last_line = complaint(printed.stderr, mark)
    if framed is None:
        raise _not_run(printed, last_line, host, user)
    if framed.status is None:
        raise FloodError(host, f"it printed more than {LARGEST >> 20} MiB: nothing is read of it")
    reason = _explained(last_line) or f"a command ended with status {framed.status}"
    raise CommandError(host, reason)


def _not_run(printed: ProcessOutput, last_line: str, host: str, user: str) -> HostError:
    """Return the error for output without a complete frame.

    Either the command was not run, or another program printed into the frame.
    """
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
        return CommandError(host, "the output of other programs is mixed into that of a command")
    message = last_line or " ".join(printed.stdout.decode("utf-8", "replace").split())[-200:]
    reason = _explained(message) or "it printed nothing"
    return CommandError(host, f"its login shell runs no commands: {reason}")


def _explained(message: str) -> str:
    meaning = next((text for sign, text in _MEANINGS.items() if sign in message), "")
    return f"{meaning} ({message})" if meaning else message
