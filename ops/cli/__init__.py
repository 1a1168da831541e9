"""The commands of `ops`. Each verb is one module here, imported only when it is called."""

import gc
import importlib
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ops.errors import OpsError
from ops.files import sentence
from ops.model.visible import visible

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_VERBS = {
    "traffic": "Show the live traffic of each key over the whole fleet.",
    "stats": "Print live counters, one line for each key, for scripts.",
    "collect": "Read every host and book its traffic into the ledger.",
    "usage": "Show usage by key, host, day or month, and its certainty.",
    "reset": "Count the usage of a key from 0 again; history stays.",
    "ledger": "Verify, export, back up or prune the ledger.",
    "status": "Print one line and an exit code for a monitoring system.",
    "compare": "Show exact counters beside inbounds, network card, estimate.",
    "link": "Print share links, QR codes and client configs of a key.",
    "keys": "Show the keys, and the inbounds that each opens.",
    "hosts": "Show the state of the hosts; trust new ones.",
    "render": "Print the config for one host.",
    "validate": "Check the fleet before a rollout, as CI should.",
    "diff": "Show the effect of a commit; --servers: drift.",
    "secrets": "Make, edit, encrypt and recover the fleet's secrets.",
    "core": "Fetch and pin releases of the Xray core.",
    "init": "Write a new fleet folder.",
    "completion": "Print a script for the completion of bash, zsh or fish.",
}


@contextmanager
def _without_collections() -> Iterator[None]:
    """Import without garbage collection, and collect seldom afterwards.

    Modules stay, and a short run makes little garbage. Collections took an eighth of the start,
    and an eighth of a reading of 300 hosts.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 10, 10)
        gc.enable()


class Verbs(click.Group):
    """The verbs of `ops`. A module is imported when its verb is called, so `ops` starts quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs, the most used ones first."""
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the verb called *cmd_name*, or None."""
        if cmd_name not in _VERBS:
            return None
        with _without_collections():
            command = getattr(importlib.import_module(f"ops.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb at the beginning of *args*; raises UsageError with a hint for others."""
        is_verb = args[0] in _VERBS or args[0].startswith("-")
        if not (is_verb or ctx.resilient_parsing):
            import difflib

            close = difflib.get_close_matches(args[0], _VERBS, n=1)
            remedy = f"; did you mean {close[0]!r}?" if close else ", see `ops --help`"
            raise click.UsageError(f"no such command {args[0]!r}{remedy}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list["CompletionItem"]:
        """Return the verbs and options that begin with *incomplete*. No verb is imported."""
        from click.shell_completion import CompletionItem

        verbs = [
            CompletionItem(verb, help=text)
            for verb, text in _VERBS.items()
            if verb.startswith(incomplete)
        ]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; print an OpsError or OSError as one message, without a traceback."""
        try:
            return super().invoke(ctx)
        except OpsError as error:
            _say(str(error))
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            raise
        except OSError as error:  # a file without permission, a full disk
            _say(sentence(error))
            ctx.exit(1)


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from ops.fleet.starter.installed import installed

        package = installed()
        commit = f" (commit {package.commit[:12]})" if package.commit else ""
        click.echo(f"ops {package.version}{commit}")
        ctx.exit()


def _have_streams() -> None:
    """Have three streams, so that no file that is opened later takes the place of a closed one."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
    if isinstance(sys.stdout, io.TextIOWrapper):  # the name of a file can hold any bytes
        sys.stdout.reconfigure(errors="backslashreplace")


def _say(error: str) -> None:
    """Print an error; a name in it, of a file or in one, does not steer the terminal."""
    click.echo("Error: " + "\n".join(map(visible, error.split("\n"))), err=True)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and the commit, and exit.",
)
def cli() -> None:
    """Read a fleet of Xray servers; only `pyinfra inventory deploy.py` changes them.
    The fleet is this folder, one above it, or $OPS_FLEET.

    \b
    Example:
      ops traffic
    """


def main() -> None:
    """Run `ops`. Exit code 70 is a bug of `ops`, 130 an interruption."""
    _have_streams()
    try:
        sys.exit(cli(prog_name="ops", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except Exception:  # noqa: BLE001 - the one place where a bug of ours shows itself
        sys.excepthook(*sys.exc_info())
        sys.exit(70)
    finally:
        gc.freeze()  # the process ends: no need to collect garbage
