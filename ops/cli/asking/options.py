"""Options that several verbs share: the fleet, a selection from it, the output, the deadline."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from ops.cli.asking.length import Length
from ops.cli.asking.names import completer
from ops.counting.reading import DEADLINE
from ops.reporting.selection import Selection, select

Verb = TypeVar("Verb", bound=Callable[..., Any])
Format = Literal["table", "json", "csv"]
_GLOBS = {
    "host": "Select only hosts with a matching name. Repeatable.",
    "group": "Select only hosts in groups with a matching name. Repeatable.",
    "key": "Select only keys with a matching name. Repeatable.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selecting:
    """The values of --fleet, --host, --group and --key, before the fleet is read."""

    folder: Path | None
    hosts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    def selection(self) -> Selection:
        """Read the fleet and select from it."""
        return select(self.folder, hosts=self.hosts, groups=self.groups, keys=self.keys)


def fleet_option(verb: Verb) -> Verb:
    """Add ``--fleet`` to *verb*; its first argument is the Selection."""
    return _with_selection(verb, ())


def host_options(verb: Verb) -> Verb:
    """Add ``--host --group --fleet`` to *verb*; its first argument is the Selection."""
    return _with_selection(verb, ("host", "group"))


def selection_options(verb: Verb) -> Verb:
    """Add ``--host --group --key --fleet`` to *verb*; its first argument is the Selection."""
    return _with_selection(verb, ("host", "group", "key"))


def unread_host_options(verb: Verb) -> Verb:
    """Add ``--host --group --fleet`` to *verb*; its first argument is the Selecting."""
    result: Verb = _selecting(verb, ("host", "group"))
    return result


def _with_selection(verb: Verb, kinds: tuple[str, ...]) -> Verb:
    @wraps(verb)
    def with_selection(selecting: Selecting, *args: Any, **kwargs: Any) -> Any:
        return verb(selecting.selection(), *args, **kwargs)

    result: Verb = _selecting(with_selection, kinds)
    return result


def _selecting(verb: Callable[..., Any], kinds: tuple[str, ...]) -> Any:
    @wraps(verb)
    def with_options(*args: Any, fleet_folder: Path | None, **kwargs: Any) -> Any:
        globs = {f"{kind}s": kwargs.pop(f"{kind}_globs") for kind in kinds}
        return verb(Selecting(folder=fleet_folder, **globs), *args, **kwargs)

    command = click.option(
        "--fleet",
        "fleet_folder",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="The folder of the fleet (default: this folder or one above it).",
    )(with_options)
    for kind in reversed(kinds):
        command = click.option(
            f"--{kind}",
            f"{kind}_globs",
            multiple=True,
            metavar="GLOB",
            shell_complete=completer(kind),
            help=_GLOBS[kind],
        )(command)
    return command


def json_option(verb: Verb) -> Verb:
    """Add ``--json`` to *verb*; its argument *output* is the Format."""
    return _with_output(verb, ("json",))


def table_options(verb: Verb) -> Verb:
    """Add ``--json`` and ``--csv`` to *verb*; its argument *output* is the Format."""
    return _with_output(verb, ("json", "csv"))


def _with_output(verb: Verb, forms: tuple[str, ...]) -> Verb:
    @wraps(verb)
    def with_output(*args: Any, **kwargs: Any) -> Any:
        chosen = [form for form in forms if kwargs.pop(form)]
        if len(chosen) > 1:
            raise click.UsageError("--json and --csv are two forms of the same: choose one")
        return verb(*args, output=chosen[0] if chosen else "table", **kwargs)

    command: Any = with_output
    for form in reversed(forms):
        text = f"Print {form.upper()} with amounts in bytes and times in UTC."
        command = click.option(f"--{form}", is_flag=True, help=text)(command)
    result: Verb = command
    return result


def timeout(default: float = DEADLINE, when: str = "") -> Callable[[Verb], Verb]:
    """Return a decorator that adds ``--timeout`` to a verb, as a number of seconds.

    *default* is in seconds; *when* begins the help text of a timeout for some cases only.
    """
    text = "Stop waiting after SPAN. Hosts that have not answered count as failed."
    return click.option(
        "--timeout",
        type=Length(least=0.1),
        default=f"{default:g}s",
        show_default=True,
        metavar="SPAN",
        help=f"{when}{text[0].lower() if when else text[0]}{text[1:]}",
    )


timeout_option = timeout()
