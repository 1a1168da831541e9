"""What people type. Each verb is a file of its own, imported only when it is asked for."""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from ops.errors import OpsError
from ops.files import sentence

_VERBS = {
    "traffic": "What each key used, live, over the whole fleet.",
    "stats": "One key's or every key's counters, a line each, for scripts.",
    "collect": "Read every host and book it: what `ops usage` tells of.",
    "usage": "What was used: by key, host, day or month, and how sure it is.",
    "reset": "Count a key's usage from 0 again; history stays.",
    "ledger": "Look after the ledger: verify, export, back up, prune.",
    "status": "One line and an exit code for a monitoring system.",
    "compare": "Exact counters beside inbounds, network card and an estimate.",
    "link": "A key's share links, QR codes and client configs.",
    "keys": "The keys of the inventory, and where they open.",
    "hosts": "The hosts: reachable, core, uptime; first contact.",
    "render": "The config that a host would get.",
    "validate": "Read and check the fleet, as CI should before a rollout.",
    "diff": "What a commit means for servers and people; --live: drift.",
    "secrets": "Make, edit, encrypt and recover the fleet's secrets.",
    "core": "Fetch and pin releases of the Xray core.",
    "init": "Write a new fleet folder.",
}


@contextmanager
def _without_collections() -> Iterator[None]:
    """Import without looking for garbage, and after it look seldom.

    Modules stay, and what a short run makes is small: walking it all over and over took an
    eighth of a start and of a reading of 300 hosts.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 10, 10)
        gc.enable()


class Verbs(click.Group):
    """The verbs; a module is imported when its verb is asked for, so `ops` starts quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order people meet them."""
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
        """Return the verb that *args* begin with; a misspelt one gets a remedy."""
        if args[0] not in _VERBS and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], _VERBS, n=1)
            remedy = f"; did you mean {close[0]!r}?" if close else ", see `ops --help`"
            raise click.UsageError(f"no such command {args[0]!r}{remedy}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; what a person can mend is one message and a code, never a traceback."""
        try:
            return super().invoke(ctx)
        except OpsError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            raise
        except OSError as error:  # a file that is closed to us, a disk that is full
            click.echo(f"Error: {sentence(error)}", err=True)
            ctx.exit(1)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xray-ops", message="ops %(version)s")
def cli() -> None:
    """Read a fleet of Xray servers: the folder with inventory/hosts.toml, here, above
    or $OPS_FLEET. Only `pyinfra inventory deploy.py` changes servers.

    \b
    Example:
      ops traffic --all-hosts
    """


def main() -> None:
    """Run `ops`: exit 70 is a bug of ours, 130 an interruption."""
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
        gc.freeze()  # what is left goes with the process: Python need not look through it
