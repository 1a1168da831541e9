"""Judge a whole fleet, on every processor there is."""

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
from ops.config.render.templates import FOLDER as TEMPLATES
from ops.config.validation.one import Judge, Judged
from ops.config.validation.report import Findings, Options, Report, about_core
from ops.config.validation.workers import each
from ops.errors import SecretsError
from ops.files import shown_path
from ops.fleet import secrets
from ops.fleet.secrets import store
from ops.model import Fleet, Host, InboundSecrets, KeySecrets, Secrets
from ops.model.phrases import listed

Held = TypeVar("Held", KeySecrets, InboundSecrets)

_WORTH_IT = 24
"""Hosts; for fewer, starting other processes takes longer than they save."""
_USUAL = 1.0
"""Seconds of a processor that judging a host may take on average; 10,000 users take 0.5 s."""


def validate_fleet(
    fleet: Fleet,
    hosts: Sequence[Host],
    options: Options,
    advance: Callable[[], None] = lambda: None,
) -> Report:
    """Return what is wrong with *hosts* of *fleet*; *advance* is called after each.

    Secrets that are not here are placeholders, and a finding says so.
    CoreError where the core that was named does not run.
    """
    findings = Findings()
    known = _secrets(fleet, hosts, options, findings)
    chosen = None if options.without_core else choose(fleet.core, options.core)
    about_core(findings, chosen, fleet.core.version, options)
    judged: list[Judged] = []
    hosts = [] if _links_out(fleet, findings) else hosts
    with bench(chosen) if chosen else nullcontext() as there:
        judge = Judge(fleet, known, there, options.seconds)
        for one in _in_time(judge, [host.name for host in hosts], findings):
            judged.append(one)
            findings.found += one.findings
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
    """Say which templates are links out of the fleet's folder; whether there are any.

    What a link from a stranger's pull request leads to would be read, and rendered.
    """
    folder = os.path.realpath(fleet.folder)
    found = False
    for path in sorted((fleet.folder / TEMPLATES).rglob("*")):
        if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(folder):
            found = True
            findings.say(
                run.INVENTORY_WRONG,
                f"a link to {path.readlink()}, out of the fleet's folder",
                file=shown_path(path),
                remedy="put the file itself here",
            )
    return found


def _in_time(judge: Judge, names: list[str], findings: Findings) -> Iterator[Judged]:
    """Yield what is found at each host, until judging takes longer than any sound fleet takes."""
    spent, most = 0.0, 3 * judge.seconds + _USUAL * len(names)
    with closing(_each(judge, names)) as each_one:
        for count, one in enumerate(each_one, 1):
            yield one
            spent += one.seconds
            if spent > most and count < len(names):
                message = f"judging {count} hosts took {spent:.0f} s: {len(names) - count} were not"
                return findings.say(run.TIME_IS_UP, f"{message} judged", file=TEMPLATES)


def _each(judge: Judge, names: list[str]) -> Generator[Judged]:
    """Yield what is found at each host, as it is found."""
    workers = len(os.sched_getaffinity(0))
    if len(names) < _WORTH_IT or workers < 2:
        yield from map(judge.judge, names)
        return
    yield from each(judge, names, workers)


def _secrets(fleet: Fleet, hosts: Sequence[Host], options: Options, findings: Findings) -> Secrets:
    """Return the fleet's secrets, placeholders where they are not here; say which those are."""
    real, reason = _read(fleet, options)
    lacks = _lacking(fleet, hosts, real)
    if not lacks:
        return real
    why = reason or f"{'; '.join(lacks[:3])}{' and more' if len(lacks) > 3 else ''} not made yet"
    if options.require_secrets:
        findings.say(run.SECRETS_MISSING, why)
    else:
        message = "placeholders replace UUIDs, passwords, REALITY private keys and short ids"
        remedy = "`ops secrets fill` makes what never existed" if not reason else _ELSEWHERE
        findings.say(run.STOOD_IN, f"{message}: {why}", remedy=remedy)
    return filled(real, placeholders(fleet))


_ELSEWHERE = "on the machine that deploys, `ops validate --require-secrets` tests the real ones"


def _read(fleet: Fleet, options: Options) -> tuple[Secrets, str]:
    """Return the secrets that are here, and why not, if they are not."""
    if store.path(fleet) == store.encrypted(fleet) and not options.require_secrets:
        return Secrets(), "the secrets are encrypted, and only --require-secrets opens them"
    try:
        return secrets.load(fleet), ""
    except SecretsError as error:
        return Secrets(), str(error)


def _lacking(fleet: Fleet, hosts: Sequence[Host], known: Secrets) -> list[str]:
    """Return each secret that *hosts* need and *known* lacks, once."""
    found = (
        what
        for host in hosts
        for inbound in host.inbounds
        for what in missing(fleet, host, inbound, known)
    )
    return list(dict.fromkeys(found))


def filled(real: Secrets, stand_ins: Secrets) -> Secrets:
    """Return *real* with *stand_ins* wherever something is not there."""
    return Secrets(
        keys={n: _each_field(real.keys.get(n), other) for n, other in stand_ins.keys.items()},
        inbounds={
            n: _each_field(real.inbounds.get(n), other) for n, other in stand_ins.inbounds.items()
        },
    )


def _each_field(real: Held | None, stand_in: Held) -> Held:
    if real is None:
        return stand_in
    said = {field.name: getattr(real, field.name) for field in fields(real)}
    return replace(stand_in, **{name: value for name, value in said.items() if value})


def _about_files(judged: Sequence[Judged], findings: Findings) -> None:
    """Say in one line which files of the hosts were not here to be looked at."""
    names = sorted({name for one in judged for name in one.missing})
    if names:
        message = f"not looked at, because on the hosts only: {listed(names)}"
        remedy = "nothing to do here: a rollout has each host's own core test with them"
        findings.say(run.STOOD_IN, message, remedy=remedy)
