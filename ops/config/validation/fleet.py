"""Judge a whole fleet, in one process for each processor."""

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import fields, replace
from pathlib import Path
from typing import TypeVar

from ops.config.core.chosen import choose
from ops.config.core.trial import bench
from ops.config.lint.rules import run
from ops.config.render import placeholders
from ops.config.render.accounts import missing
from ops.config.render.folders import FOLDER as TEMPLATES
from ops.config.validation.one import Judge, Judged
from ops.config.validation.report import Findings, Options, Report, about_core
from ops.config.validation.workers import each
from ops.errors import SecretsError
from ops.files import shown_path
from ops.model import Fleet, Host, InboundSecrets, KeySecrets, Secrets
from ops.model.phrases import listed

Held = TypeVar("Held", KeySecrets, InboundSecrets)

_WORTH_IT = 24
"""Number of hosts; for fewer, starting other processes takes longer than it saves."""
_USUAL = 1.0
"""Processor seconds that judging one host may take on average; 10,000 users take 0.5 s."""


def validate_fleet(
    fleet: Fleet,
    hosts: Sequence[Host],
    options: Options,
    advance: Callable[[], None] = lambda: None,
) -> Report:
    """Return the findings about *hosts* of *fleet*.

    Placeholders replace secrets that are not on this machine, and a finding says so.

    Args:
        fleet: the whole fleet.
        hosts: the hosts of it to judge.
        options: the core to test with, and the strictness.
        advance: called after each host.

    Raises:
        CoreError: the core that *options* name does not run.
    """
    findings = Findings()
    own_or_placeholders = _secrets(fleet, hosts, options, findings)
    chosen = None if options.without_core else choose(fleet.core, options.core)
    about_core(findings, chosen, fleet.core.version, options)
    judged: list[Judged] = []
    hosts = [] if _links_out(fleet, findings) else hosts
    with bench(chosen) if chosen else nullcontext() as core:
        judge = Judge(fleet, own_or_placeholders, core, options.seconds)
        for one in _in_time(judge, [host.name for host in hosts], findings):
            judged.append(one)
            findings.entries += one.findings
            advance()
    _about_files(judged, findings)
    return Report(
        subjects=tuple(host.name for host in hosts),
        findings=findings.in_order(),
        core=chosen,
        pinned=fleet.core.version,
        tested=sum(one.tested for one in judged),
        ignored=sum(one.ignored for one in judged),
    )


def _links_out(fleet: Fleet, findings: Findings) -> bool:
    """Report templates that are links out of the fleet's folder; return whether any are.

    Such a link in a stranger's pull request would make us read and render a file of this machine.
    """
    folder = os.path.realpath(fleet.folder)
    any_link = False
    for path in sorted((fleet.folder / TEMPLATES).rglob("*")):
        if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(folder):
            any_link = True
            findings.add(
                run.INVENTORY_WRONG,
                f"it is a link to {path.readlink()}, outside the fleet's folder",
                file=shown_path(path),
                remedy="put the file itself here",
            )
    return any_link


def _in_time(judge: Judge, names: list[str], findings: Findings) -> Iterator[Judged]:
    """Yield the result of each host; stop with a finding when judging takes too long.

    Too long is three renderings at their time limit, and ``_USUAL`` for each host.
    """
    spent, most = 0.0, 3 * judge.seconds + _USUAL * len(names)
    with closing(_each(judge, names)) as each_one:
        for count, one in enumerate(each_one, 1):
            yield one
            spent += one.seconds
            if spent > most and count < len(names):
                left = len(names) - count
                message = f"judging {count} hosts took {spent:.0f} s: {left} were not judged"
                return findings.add(run.TIME_IS_UP, message, file=TEMPLATES)


def _each(judge: Judge, names: list[str]) -> Generator[Judged]:
    """Yield the result of each host, in the order of *names*."""
    workers = len(os.sched_getaffinity(0))
    if len(names) < _WORTH_IT or workers < 2:
        yield from map(judge.judge, names)
        return
    yield from each(judge, names, workers)


def _secrets(fleet: Fleet, hosts: Sequence[Host], options: Options, findings: Findings) -> Secrets:
    """Return the fleet's secrets, with placeholders for missing ones; report the missing ones."""
    real, reason = _read(fleet, options)
    lacks = _lacking(fleet, hosts, real)
    if not lacks:
        return real
    first = "; ".join(lacks[:3]) + (" and more" if len(lacks) > 3 else "")
    why = reason or f"{first} not made yet"
    if options.require_secrets:
        findings.add(run.SECRETS_MISSING, why)
    else:
        message = "placeholders replace UUIDs, passwords, REALITY private keys and short ids"
        remedy = "`ops secrets fill` makes missing secrets" if not reason else _ELSEWHERE
        findings.add(run.PLACEHOLDERS_USED, f"{message}: {why}", remedy=remedy)
    return filled(real, placeholders(fleet))


_ELSEWHERE = "on the machine that deploys, `ops validate --require-secrets` tests the real ones"


def _read(fleet: Fleet, options: Options) -> tuple[Secrets, str]:
    """Return the secrets on this machine, and an empty text; or none, and the reason."""
    from ops.fleet import secrets  # pydantic and tomlkit take 150 ms to import
    from ops.fleet.secrets import store

    if store.path(fleet) == store.encrypted(fleet) and not options.require_secrets:
        return Secrets(), "the secrets are encrypted, and only --require-secrets opens them"
    try:
        return secrets.load(fleet), ""
    except SecretsError as error:
        return Secrets(), str(error)


def _lacking(fleet: Fleet, hosts: Sequence[Host], known: Secrets) -> list[str]:
    """Return the names of the secrets that *hosts* need and *known* lacks, without repeats."""
    names = (
        name
        for host in hosts
        for inbound in host.inbounds
        for name in missing(fleet, host, inbound, known)
    )
    return list(dict.fromkeys(names))


def filled(real: Secrets, made_up: Secrets) -> Secrets:
    """Return *real*, with the values of *made_up* for every secret that it lacks."""
    return Secrets(
        keys={n: _each_field(real.keys.get(n), other) for n, other in made_up.keys.items()},
        inbounds={
            n: _each_field(real.inbounds.get(n), other) for n, other in made_up.inbounds.items()
        },
    )


def _each_field(real: Held | None, made_up: Held) -> Held:
    if real is None:
        return made_up
    values = {field.name: getattr(real, field.name) for field in fields(real)}
    return replace(made_up, **{name: value for name, value in values.items() if value})


def _about_files(judged: Sequence[Judged], findings: Findings) -> None:
    """Report in one finding the files of hosts that the test could not use."""
    names = sorted({name for one in judged for name in one.missing})
    if names:
        message = f"not tested, because these files are on the hosts only: {listed(names)}"
        remedy = "nothing to do here: in a rollout the core of each host tests with them"
        findings.add(run.PLACEHOLDERS_USED, message, remedy=remedy)
