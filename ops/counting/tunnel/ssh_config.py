"""Find the lines of ``~/.ssh/config`` that apply to one host.

asyncssh would parse the whole file, with its includes, for each connection (27 ms with 300 hosts
in it). This module splits it into blocks once, and gives asyncssh only the few lines of a host.
Options that asyncssh and pyinfra's paramiko understand differently are errors.
"""

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from asyncssh.pattern import WildcardPatternList

from ops.errors import OpsError
from ops.files import expand_home, read_text, sentence

SPACE = " \t"
LONGEST = 10_000
"""Characters in a line."""
DEEPEST = 16
"""Levels of nested includes, as in OpenSSH's readconf.c."""


class SshConfigError(OpsError):
    """A line that this program and pyinfra would understand differently."""


@dataclass(frozen=True, slots=True)
class _Line:
    file: Path
    number: int
    text: str
    words: tuple[str, ...] = ()
    """The keyword in lower case, and its arguments."""

    def refuse(self, reason: str) -> SshConfigError:
        return SshConfigError(f"{self.file} line {self.number}: {reason}")


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that apply if all *conditions* (Host and Match lines) are true."""

    conditions: tuple[_Line, ...]
    lines: list[_Line] = field(default_factory=list)

    @property
    def match(self) -> _Line | None:
        """Return its last Match line, None without one."""
        return next((line for line in reversed(self.conditions) if line.words[0] == "match"), None)

    @property
    def is_final(self) -> bool:
        """Return whether it applies only after the host's name is final (``Match final``)."""
        return self.match is not None and "final" in self.match.words


class SshConfig:
    """The user's ssh configuration, read once."""

    def __init__(self, file: Path) -> None:
        self._blocks = list(_blocks(file, (), 0))

    def lines_for(self, name: str) -> str:
        """Return the lines that can apply to the host called *name*, in their order.

        Raise SshConfigError if asyncssh and pyinfra would understand one of them differently.
        """
        blocks = [block for block in self._blocks if _may_apply(block, name)]
        # A final block sets only options that no other block sets, as if it were the last one.
        blocks.sort(key=lambda block: block.is_final)
        return "\n".join(line for block in blocks for line in _lines_of(block))


def _blocks(file: Path, within: tuple[_Line, ...], depth: int) -> Iterator[_Block]:
    block = _Block(within)
    for line in _lines(file):
        keyword, *arguments = line.words
        if keyword in ("host", "match"):
            yield block
            block = _Block((*within, line))
        elif keyword == "include" and len(arguments) == 1 and depth < DEEPEST:
            yield block
            for included in _included(arguments[0]):
                yield from _blocks(included, block.conditions, depth + 1)
            block = _Block(block.conditions)
        else:
            block.lines.append(line)
    yield block


def _lines(file: Path) -> Iterator[_Line]:
    try:
        text = read_text(file)
    except OSError as error:
        raise SshConfigError(sentence(error)) from None
    for number, line in enumerate(text.splitlines(), 1):
        if (bare := line.strip()) and not bare.startswith("#"):
            if len(bare) > LONGEST:
                raise _Line(file, number, "").refuse(f"it has over {LONGEST} characters")
            yield _parsed(_Line(file, number, bare))


def _parsed(line: _Line) -> _Line:
    keyword = first_word(line.text)
    try:
        arguments = shlex.split(line.text[len(keyword) :].lstrip(SPACE + "="))
    except ValueError as error:
        raise line.refuse(str(error)) from None
    return replace(line, words=(keyword, *arguments))


def first_word(line: str) -> str:
    """Return the keyword of *line*, in lower case. A space or ``=`` ends it.

    >>> first_word("HostName=192.0.2.7"), first_word("Host fra1")
    ('hostname', 'host')
    """
    return re.split(rf"[{SPACE}=]", line, maxsplit=1)[0].lower()


def _included(pattern: str) -> Iterable[Path]:
    path = expand_home(pattern)
    if not path.is_absolute():
        path = expand_home("~/.ssh") / path
    relative = path.relative_to(path.anchor)
    return sorted(file for file in Path(path.anchor).glob(str(relative)) if file.is_file())


def _may_apply(block: _Block, name: str) -> bool:
    """Return whether *block* has lines and its Host conditions match *name*."""
    hosts = [line for line in block.conditions if line.words[0] == "host"]
    return bool(block.lines) and all(
        WildcardPatternList(",".join(line.words[1:])).matches(name) for line in hosts
    )


def _lines_of(block: _Block) -> list[str]:
    """Return the lines of *block*, after one Match line with its conditions."""
    for line in block.conditions:
        _refuse_match(line, block)
    for line in block.lines:
        _refuse_what_differs(line)
    match = block.match
    words = [word for word in match.words[1:] if not word.endswith("final")] if match else []
    return [shlex.join(["Match", *(words or ["all"])]), *(line.text for line in block.lines)]


def _refuse_match(line: _Line, block: _Block) -> None:
    if "exec" in line.words or "!exec" in line.words:
        raise line.refuse("`Match exec` is understood by ops, but not by pyinfra: use `Host`")
    if line.words[0] == "match" and line is not block.match:
        raise line.refuse("it includes another `Match`: write that one on its own")


def _refuse_what_differs(line: _Line) -> None:
    keyword, *arguments = line.words
    if keyword == "include":
        raise line.refuse("`Include` with several patterns: write a line for each")
    if keyword == "hostkeyalias":
        raise line.refuse("`HostKeyAlias` is not understood by pyinfra: leave it out")
    if keyword == "proxyjump" and "," in "".join(arguments):
        raise line.refuse("`ProxyJump` over several hosts is not understood by pyinfra: use one")
    if keyword == "proxyjump" and arguments[:1] and arguments[0].lower() == "none":
        raise line.refuse("`ProxyJump none` is not understood by pyinfra: write `Host * !NAME`")
    if keyword == "canonicalizehostname" and arguments != ["no"]:
        raise line.refuse("`CanonicalizeHostname` is not honoured: write `HostName`")
