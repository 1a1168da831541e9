"""Judge config files that do not come from a fleet."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from ops.config.core.chosen import Chosen, choose
from ops.config.core.trial import bench
from ops.config.lint import (
    Around,
    ConfigError,
    Finding,
    Hit,
    LintRule,
    Text,
    judge,
    merged,
    read,
    version_of,
)
from ops.config.lint.certificate import ends
from ops.config.lint.merge import Merged
from ops.config.lint.rules import run
from ops.config.lint.schema import NEWEST
from ops.config.lint.text import LARGEST
from ops.config.validation.pairs import fault
from ops.config.validation.refusal import refusal
from ops.config.validation.report import Findings, Options, Report, about_core
from ops.model import Core

STDIN = "-"


def validate_files(paths: Sequence[Path], options: Options, pinned: Core | None = None) -> Report:
    """Return the findings about the config in *paths*; several files are merged as ``-confdir``.

    Args:
        paths: the files, in order; `-` is stdin. A file that cannot be read is a finding.
        options: the core to test with, and the strictness.
        pinned: the core of the fleet around, if there is one.

    Raises:
        CoreError: the core that *options* name does not run.
    """
    findings = Findings()
    texts = [text for path in paths if (text := _read(path, findings))]
    chosen = None if options.without_core else choose(pinned, options.core)
    about_core(findings, chosen, pinned.version if pinned and not chosen else "", options)
    tested = 0
    if len(texts) == len(paths):
        whole = merged(texts)
        _judge(whole, texts, chosen, findings)
        if chosen:
            _test(whole, texts, chosen, findings)
            tested = 1
    return Report(
        subjects=tuple(shown(path) for path in paths),
        findings=findings.in_order(),
        core=chosen,
        tested=tested,
    )


def shown(path: Path) -> str:
    """Return *path* as it was typed, or `stdin` for `-`."""
    return "stdin" if str(path) == STDIN else str(path)


def _read(path: Path, findings: Findings) -> Text | None:
    name = shown(path)
    try:
        return read(name, _bytes(path))
    except ConfigError as error:
        line = error.line
        findings.add(run.UNREADABLE, error.message, subject=name, file=name, line=line)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        findings.add(run.UNREADABLE, message, subject=name, file=name)
    return None


def _bytes(path: Path) -> bytes:
    """Return the first bytes of the file: one more than a config may have, at most."""
    if str(path) == STDIN:
        return sys.stdin.buffer.read(LARGEST + 1)
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def _judge(whole: Merged, texts: Sequence[Text], chosen: Chosen | None, findings: Findings) -> None:
    around = Around(
        version=version_of(chosen.version) if chosen else NEWEST,
        data_files=bool(chosen and chosen.data),
        expiries=_expiries(whole.data),
        pair_fault=fault,
    )
    twice = tuple(name for text in texts for name in text.twice)
    for rule, hit in judge(whole.data, around, twice):
        findings.entries.append(_finding(rule, hit, whole))


def _finding(rule: LintRule, hit: Hit, whole: Merged) -> Finding:
    text, path = whole.origin(hit.path)
    return Finding.of(rule, hit, subject=text.name, file=text.name, line=text.line(path))


def _test(whole: Merged, texts: Sequence[Text], chosen: Chosen, findings: Findings) -> None:
    with bench(chosen) as core:
        verdict = core.test([(text.name, text.data) for text in texts])
        if not verdict.accepted:
            rule = run.CORE_REFUSES if verdict.in_time else run.TIME_IS_UP
            findings.entries.append(_finding(rule, refusal(core, verdict, whole.data), whole))
    if verdict.missing:
        listed = ", ".join(verdict.missing)
        message = f"not tested, because these files are not on this machine: {listed}"
        where = texts[0].name
        remedy = "test the config on the server, or put the files here under the same names"
        findings.add(run.PLACEHOLDERS_USED, message, subject=where, file=where, remedy=remedy)


def _expiries(data: dict[str, Any]) -> dict[str, datetime]:
    """Return the ends of the certificates that *data* names, by file name.

    Only files on this machine count, up to 1 MiB.
    """
    expiries = {}
    for name in _certificates(data):
        with suppress(OSError, UnicodeDecodeError):
            if (
                (path := Path(name)).is_file()
                and path.stat().st_size < 1 << 20
                and (end := ends(path.read_text()))
            ):
                expiries[name] = end
    return expiries


def _certificates(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for entry in value for name in _certificates(entry)]
    if not isinstance(value, dict):
        return []
    mine = [text for name, text in value.items() if name.lower() == "certificatefile"]
    below = [name for entry in value.values() for name in _certificates(entry)]
    return [name for name in mine if isinstance(name, str) and name] + below
