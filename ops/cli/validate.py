"""``ops validate``: judge the fleet before a rollout."""

from pathlib import Path
from typing import Any

import click

from ops.cli.asking.options import Selecting, unread_host_options
from ops.cli.printing import console, exit_codes, findings
from ops.config.lint import RULES
from ops.config.lint.rules import run
from ops.config.validation import Options, Report, validate_files, validate_fleet
from ops.config.validation.report import Findings
from ops.errors import FleetError, OpsError, UnknownNameError, UsageError
from ops.files import must_be_file, sentence
from ops.fleet import selection as of_fleet
from ops.model import Core, Fleet, Host
from ops.model.phrases import counted
from ops.servers.changes import Side, changed_since, fleet_at

_FORMATS = {
    "text": findings.text,
    "github": findings.github,
    "gitlab": findings.gitlab,
    "sarif": findings.sarif,
    "json": findings.as_json,
}


def _explain(context: click.Context, _: click.Parameter, code: str | None) -> None:
    if code is None or context.resilient_parsing:
        return
    by_name = {rule.name: rule for rule in RULES.values()}
    rule = RULES.get(code.upper()) or by_name.get(code)
    if rule is None:
        raise UnknownNameError("rule", code, [*RULES, *by_name])
    click.echo(findings.explained(rule))
    context.exit()


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option(
    "--core",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Test with this Xray program (default: the pinned one in the cache, else `xray`).",
)
@click.option(
    "--no-core", "without_core", is_flag=True, help="Judge by the rules only, without a core."
)
@click.option("--require-core", is_flag=True, help="Fail if the pinned core is not available.")
@click.option(
    "--require-secrets", is_flag=True, help="Fail if a secret is missing on this machine."
)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_FORMATS)),
    default="text",
    show_default=True,
    help="Print text for people, json for programs, or a format for GitHub, GitLab or SARIF.",
)
@click.option(
    "--changed-since", "since", metavar="REV", help="Judge only hosts that changed since REV."
)
@click.option(
    "--explain",
    metavar="CODE",
    callback=_explain,
    expose_value=False,
    is_eager=True,
    help="Explain one rule, and exit.",
)
@unread_host_options
def validate(
    selecting: Selecting,
    files: tuple[Path, ...],
    strict: bool,
    form: str,
    since: str | None,
    **options: Any,
) -> None:
    """Judge the fleet, or any Xray config, by rules and by the test of the real core.

    It needs no server and no secret. Each host is rendered, judged by the rules of docs/rules.md,
    and tested by the pinned core (get it with `ops core fetch`). Instead, FILE can be any Xray
    config, with comments, or - for stdin. Several files are merged as `xray run -confdir` does.

    The exit code is 1 if there is an error. To accept a finding of a host, write the reason into
    hosts.toml: ignore = { XO506 = "the site is in our own rack" }

    \b
    Example:
      ops validate
      ops validate --require-core --require-secrets --format github
      ops validate --changed-since origin/main
      ops validate /usr/local/etc/xray/config.json
    """
    asked = Options(**options)
    if asked.require_core and asked.without_core:
        raise UsageError("--no-core and --require-core contradict each other: leave one out")
    if files and since:
        raise UsageError("--changed-since selects hosts of a fleet; FILE is a config by itself")
    report = (
        _of_files(files, selecting, asked) if files else _of_fleet(selecting, asked, form, since)
    )
    click.echo(_FORMATS[form](report))
    failed = report.failed(strict=strict)
    raise click.exceptions.Exit(exit_codes.NO if failed else exit_codes.OK)


def _of_files(files: tuple[Path, ...], selecting: Selecting, options: Options) -> Report:
    if selecting.hosts or selecting.groups:
        raise UsageError("--host and --group select hosts of a fleet; FILE is a config by itself")
    for file in files:
        if str(file) != "-":
            _demand(file)
    return validate_files(files, options, _core_around(selecting))


def _core_around(selecting: Selecting) -> Core | None:
    """Return the core that the fleet around pins; None without a fleet that can be read."""
    try:
        return selecting.selection().fleet.core
    except OpsError:
        return None


def _demand(file: Path) -> None:
    try:
        must_be_file(file)
    except OSError as error:
        raise UsageError(sentence(error)) from None


def _of_fleet(selecting: Selecting, options: Options, form: str, since: str | None) -> Report:
    try:
        selection = selecting.selection()
    except FleetError as error:
        if form == "text":
            raise
        return _unreadable(error)
    fleet = selection.fleet
    hosts = of_fleet.hosts(fleet, selection.host_globs, selection.group_globs)
    if since:
        hosts = _changed(fleet, hosts, since)
    with console.progress("Checking", len(hosts)) as advance:
        return validate_fleet(fleet, hosts, options, advance)


def _changed(fleet: Fleet, hosts: tuple[Host, ...], since: str) -> tuple[Host, ...]:
    """Return those of *hosts* that changed; all of them if the old fleet was not valid."""
    try:
        with (
            fleet_at(fleet.folder, since) as before,
            console.progress("Comparing", len(hosts)) as on,
        ):
            changed = changed_since(Side(before, since), Side(fleet), hosts, on)
    except FleetError as error:
        click.echo(f"every host is judged, because {since} does not validate: {error}", err=True)
        return hosts
    if same := len(hosts) - len(changed):
        click.echo(f"{counted(same, 'host')} not judged: as at {since}", err=True)
    return changed


def _unreadable(error: FleetError) -> Report:
    """Return the problems of the inventory as findings."""
    problems = Findings()
    for problem in error.problems:
        problems.add(
            run.INVENTORY_WRONG,
            problem.message,
            file=problem.file,
            line=problem.line,
            remedy=problem.remedy,
        )
    return Report(subjects=(), findings=problems.in_order())
