"""The options that several verbs share, and what they select."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from ops.fleet import inventory, selection
from ops.model import Fleet, Host, Key

Verb = TypeVar("Verb", bound=Callable[..., Any])


@dataclass(frozen=True)
class Selected:
    """The fleet, and the hosts and keys in it that the options select."""

    folder: Path | None
    host_globs: tuple[str, ...] = ()
    group_globs: tuple[str, ...] = ()
    key_globs: tuple[str, ...] = ()

    @cached_property
    def fleet(self) -> Fleet:
        """Return the fleet, read when first asked for."""
        return inventory.load(inventory.find(self.folder))

    @cached_property
    def hosts(self) -> tuple[Host, ...]:
        """Return the selected hosts that are to be asked: those in maintenance are a line."""
        return self._asked(even_absent=False)

    @cached_property
    def hosts_even_absent(self) -> tuple[Host, ...]:
        """Return the same, and those that are to be without a core."""
        return self._asked(even_absent=True)

    @cached_property
    def away(self) -> tuple[Host, ...]:
        """Return the selected hosts in maintenance: nobody asks them, and a total lacks them."""
        return selection.away(self._chosen(even_absent=False), datetime.now(UTC).date())

    def _asked(self, *, even_absent: bool) -> tuple[Host, ...]:
        chosen = self._chosen(even_absent=even_absent)
        away = selection.away(chosen, datetime.now(UTC).date())
        for host in away:
            assert host.maintenance  # noqa: S101
            why, until = host.maintenance.why, host.maintenance.until
            click.echo(f"{host.name}: in maintenance until {until}, {why}", err=True)
        return tuple(host for host in chosen if host not in away)

    def _chosen(self, *, even_absent: bool) -> tuple[Host, ...]:
        globs = self.host_globs, self.group_globs
        return selection.hosts(self.fleet, *globs, even_absent=even_absent)

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """Return the selected keys."""
        return selection.keys(self.fleet, self.key_globs)

    @property
    def key_names(self) -> list[str] | None:
        """Return the names of the selected keys; None where no key was named."""
        return [key.name for key in self.keys] if self.key_globs else None


def fleet_option(verb: Verb) -> Verb:
    """Give *verb* ``--fleet``, and the Selected that comes of it as its first argument."""
    return _selecting(verb, ())


def selection_options(verb: Verb) -> Verb:
    """Give *verb* ``--fleet --host --group --key``, and the Selected as its first argument."""
    return _selecting(verb, ("host", "group", "key"))


def host_options(verb: Verb) -> Verb:
    """Give *verb* ``--fleet --host --group``, and the Selected as its first argument."""
    return _selecting(verb, ("host", "group"))


def _selecting(verb: Verb, kinds: tuple[str, ...]) -> Verb:
    @wraps(verb)
    def with_selection(*args: Any, fleet_folder: Path | None, **kwargs: Any) -> Any:
        globs = {f"{kind}_globs": kwargs.pop(f"{kind}_globs") for kind in kinds}
        return verb(Selected(fleet_folder, **globs), *args, **kwargs)

    command: Any = click.option(
        "--fleet",
        "fleet_folder",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="The fleet's folder, if it is not this one or above it.",
    )(with_selection)
    for kind in reversed(kinds):
        command = click.option(
            f"--{kind}",
            f"{kind}_globs",
            multiple=True,
            metavar="GLOB",
            help=f"Only {kind}s that match; may be given more than once.",
        )(command)
    result: Verb = command
    return result


Format = Literal["table", "json", "csv"]


def json_option(verb: Verb) -> Verb:
    """Give *verb* ``--json``, as *output*."""
    return _writing(verb, ("json",))


def table_options(verb: Verb) -> Verb:
    """Give *verb* ``--json`` and ``--csv``, as *output*."""
    return _writing(verb, ("json", "csv"))


def _writing(verb: Verb, forms: tuple[str, ...]) -> Verb:
    @wraps(verb)
    def with_output(*args: Any, **kwargs: Any) -> Any:
        asked = [form for form in forms if kwargs.pop(form)]
        if len(asked) > 1:
            raise click.UsageError("--json and --csv are two forms of the same: choose one")
        return verb(*args, output=asked[0] if asked else "table", **kwargs)

    command: Any = with_output
    for form in reversed(forms):
        says = f"Print {form.upper()}: bytes, UTC."
        command = click.option(f"--{form}", is_flag=True, help=says)(command)
    result: Verb = command
    return result


timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="When the whole round ends, whatever hangs.",
)
