"""``ops validate``: what stands between a commit and the servers."""

from pathlib import Path
from typing import Any

import click

from ops.cli.code_quality import gitlab
from ops.cli.options import Selected, host_options
from ops.cli.printing import console, findings
from ops.config.lint import RULES
from ops.config.lint.rules import run
from ops.config.validation import Options, Report, validate_files, validate_fleet
from ops.config.validation.report import Findings
from ops.errors import FleetError, UsageError
from ops.files import must_be_file, sentence
from ops.fleet import selection
from ops.fleet.inventory import unknown
from ops.model import Fleet, Host
from ops.servers.changes import Side, changed_since, fleet_at

_FORMATS = {
    "text": findings.text,
    "github": findings.github,
    "gitlab": gitlab,
    "sarif": findings.sarif,
    "json": findings.as_json,
}


def _explain(context: click.Context, _: click.Parameter, code: str | None) -> None:
    if code is None or context.resilient_parsing:
        return
    by_name = {rule.name: rule for rule in RULES.values()}
    rule = RULES.get(code.upper()) or by_name.get(code)
    if rule is None:
        raise UsageError(unknown("rule", code, [*RULES, *by_name]))
    click.echo(findings.explained(rule))
    context.exit()


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option(
    "--core",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Test with this program; the cached pinned one, or `xray`, otherwise.",
)
@click.option("--no-core", "without_core", is_flag=True, help="Let the rules alone judge.")
@click.option("--require-core", is_flag=True, help="No core, or not the pinned one: an error.")
@click.option("--require-secrets", is_flag=True, help="Placeholders are an error.")
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_FORMATS)),
    default="text",
    show_default=True,
    help="For people, GitHub's annotations, GitLab's Code Quality, code scanning, programs.",
)
@click.option("--changed-since", "since", metavar="REV", help="Only hosts that changed since REV.")
@click.option(
    "--explain",
    metavar="CODE",
    callback=_explain,
    expose_value=False,
    is_eager=True,
    help="Say all about one rule, and nothing else.",
)
@host_options
def validate(
    selected: Selected,
    files: tuple[Path, ...],
    strict: bool,
    form: str,
    since: str | None,
    **options: Any,
) -> None:
    """Judge the fleet, or any Xray config: rules, and the real core's own test.

    Needs no server and no secret. Every host is rendered, judged by the rules of docs/rules.md and
    tested by the pinned core (`ops core fetch` gets it). FILE is any config of Xray instead, with
    comments, `-` for stdin; several are merged as `xray run -confdir` does it.

    Exit code 1 if there is an error. A host accepts a finding in hosts.toml, with a reason:
    ignore = { XO506 = "the site is in our own rack" }

    \b
    Example:
      ops validate
      ops validate --require-core --require-secrets --format github
      ops validate --changed-since origin/main
      ops validate /usr/local/etc/xray/config.json
    """
    asked = Options(**options)
    if files and since:
        raise UsageError("--changed-since selects hosts of a fleet; FILE is a config by itself")
    report = _of_files(files, selected, asked) if files else _of_fleet(selected, asked, form, since)
    click.echo(_FORMATS[form](report))
    raise click.exceptions.Exit(1 if report.failed(strict=strict) else 0)


def _of_files(files: tuple[Path, ...], selected: Selected, options: Options) -> Report:
    if selected.host_globs or selected.group_globs:
        raise UsageError("--host and --group select hosts of a fleet; FILE is a config by itself")
    for file in files:
        if str(file) != "-":
            _demand(file)
    return validate_files(files, options)


def _demand(file: Path) -> None:
    try:
        must_be_file(file)
    except OSError as error:
        raise UsageError(sentence(error)) from None


def _of_fleet(selected: Selected, options: Options, form: str, since: str | None) -> Report:
    try:
        fleet = selected.fleet
    except FleetError as error:
        if form == "text":
            raise
        return _unreadable(error)
    hosts = selection.hosts(fleet, selected.host_globs, selected.group_globs)
    if since:
        hosts = _changed(fleet, hosts, since)
    with console.progress("Checking", len(hosts)) as advance:
        return validate_fleet(fleet, hosts, options, advance)


def _changed(fleet: Fleet, hosts: tuple[Host, ...], since: str) -> tuple[Host, ...]:
    """Return those of *hosts* that changed; all of them if nobody can tell, for that was wrong."""
    try:
        with (
            fleet_at(fleet.folder, since) as before,
            console.progress("Comparing", len(hosts)) as on,
        ):
            changed = changed_since(Side(before, since), Side(fleet), hosts, on)
    except FleetError as error:
        click.echo(f"every host is judged, for {since} does not validate: {error}", err=True)
        return hosts
    if same := len(hosts) - len(changed):
        click.echo(f"{console.counted(same, 'host')} not judged: as at {since}", err=True)
    return changed


def _unreadable(error: FleetError) -> Report:
    """Return the problems of the inventory in the form of findings."""
    found = Findings()
    for problem in error.problems:
        found.say(
            run.INVENTORY_WRONG,
            problem.message,
            file=problem.file,
            line=problem.line,
            remedy=problem.remedy,
        )
    return Report(subjects=(), findings=found.in_order())
