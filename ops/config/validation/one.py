"""Judge one host: render its config, apply the rules, and test it with the core."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ops.config.core.trial import Bench, Verdict
from ops.config.links import differences
from ops.config.lint import Around, Finding, Hit, LintRule, judge, version_of
from ops.config.lint.rules import run
from ops.config.render import render
from ops.config.render.bounds import TooLong, bounded
from ops.config.validation.pairs import written_fault
from ops.config.validation.refusal import refusal
from ops.config.validation.source_lines import SourceLine, SourceLines
from ops.errors import FleetError, Problem
from ops.model import Fleet, Host, InboundSecrets, Secrets


@dataclass(frozen=True, slots=True)
class Judged:
    """The result of judging one host."""

    host: str
    findings: tuple[Finding, ...] = ()
    ignored: int = 0
    missing: tuple[str, ...] = ()
    """Files that the core's test replaced by placeholders."""
    tested: bool = False
    seconds: float = 0.0
    """The duration of judging."""


@dataclass(frozen=True)
class Judge:
    """Judges hosts of one fleet; each worker process has one."""

    fleet: Fleet
    secrets: Secrets
    bench: Bench | None
    seconds: float

    @cached_property
    def _source_lines(self) -> SourceLines:
        return SourceLines(self.fleet)

    @cached_property
    def _names(self) -> frozenset[str]:
        """Return the names of all inbounds and keys: a rule for many hosts may use any of them."""
        inbounds = (inbound.name for host in self.fleet.hosts for inbound in host.inbounds)
        return frozenset((*inbounds, *(key.name for key in self.fleet.keys)))

    def judge(self, name: str) -> Judged:
        """Return the findings about the host called *name*."""
        began = time.monotonic()
        return replace(self._judge(name), seconds=time.monotonic() - began)

    def _judge(self, name: str) -> Judged:
        import ops.config.render.templates  # noqa: F401  the time limit is not for this import

        host = self.fleet.host(name)
        try:
            with bounded(self.seconds):
                text = render(self.fleet, host, self.secrets)
        except FleetError as error:
            return Judged(name, tuple(self._problem(host, one) for one in error.problems))
        except (TooLong, MemoryError) as error:
            return Judged(name, (self._endless(host, error),))
        return self._judged(host, text)

    def _judged(self, host: Host, text: str) -> Judged:
        data = json.loads(text)
        hits = [*judge(data, self._around(host)), *self._dead_links(host, data)]
        verdict = self.bench.test([(host.name, data)]) if self.bench else Verdict(True)
        if not verdict.accepted:
            rule = run.CORE_REFUSES if verdict.in_time else run.TIME_IS_UP
            assert self.bench  # noqa: S101  only a core refuses
            hits.append((rule, refusal(self.bench, verdict, data)))
        reasons = dict(host.ignore)
        reported = [(rule, hit) for rule, hit in hits if rule.code not in reasons]
        lines = self._source_lines
        vain = set(reasons) - {rule.code for rule, _ in hits}
        return Judged(
            host.name,
            findings=(
                *(_finding(host, *one, lines.line(host, one[1].path, data)) for one in reported),
                *(_vain(host, code, lines.host(host.name, "ignore")) for code in sorted(vain)),
            ),
            ignored=len(hits) - len(reported),
            missing=verdict.missing,
            tested=self.bench is not None,
        )

    def _dead_links(self, host: Host, data: dict[str, Any]) -> Iterator[tuple[LintRule, Hit]]:
        """Yield a hit for each place where the rendered config contradicts the links to *host*."""
        rendered = data["inbounds"] if isinstance(data.get("inbounds"), list) else []
        parts = [(at, part) for at, part in enumerate(rendered) if isinstance(part, dict)]
        tagged = {str(part.get("tag")): at for at, part in parts}
        for inbound in host.inbounds:
            at = tagged.get(inbound.name)
            if at is None:
                message = f"links lead to {inbound.name!r}, and no inbound has this tag"
                yield run.LINK_DEAD, Hit(("inbounds",), message)
                continue
            own = self.secrets.inbounds.get((host.name, inbound.name), InboundSecrets())
            for place, message in differences(inbound, rendered[at], own):
                hit = Hit(("inbounds", at, *place), f"{inbound.name}: {message}")
                yield run.LINK_DEAD, hit

    def _around(self, host: Host) -> Around:
        return Around(
            version=version_of(self.fleet.core.version),
            ours=True,
            live=host.accounting == "live",
            data_files=True,  # the release brings them, and the rollout puts them beside the core
            pair_fault=written_fault,
            addresses=host.address,
            names=self._names,
            ssh_port=host.ssh.port or 22,
            fingerprints={inbound.name: inbound.fingerprint for inbound in host.inbounds},
        )

    def _problem(self, host: Host, problem: Problem) -> Finding:
        return _finding(
            host,
            run.UNREADABLE,
            Hit((), problem.message, remedy=problem.remedy),
            SourceLine(problem.file, problem.line),
        )

    def _endless(self, host: Host, error: BaseException) -> Finding:
        much = "a GiB of memory" if isinstance(error, MemoryError) else f"{self.seconds:g} s"
        message = f"rendering {host.name} took more than {much}: a template loops"
        return _finding(host, run.TIME_IS_UP, Hit((), message), SourceLine("templates", 0))


def _finding(host: Host, rule: LintRule, hit: Hit, line: SourceLine) -> Finding:
    return Finding.of(rule, hit, subject=host.name, file=line.file, line=line.number)


def _vain(host: Host, code: str, line: SourceLine) -> Finding:
    message = f"{host.name} ignores {code}, but {code} finds nothing on this host"
    return _finding(host, run.IGNORED_IN_VAIN, Hit((), message), line)
