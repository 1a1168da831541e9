"""The command line of the lab: `python -m lab`."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from lab import record
from lab.core import ensure_core
from lab.errors import LabError
from lab.host import Host
from lab.lab import Lab, every_lab, purge


class LabGroup(click.Group):
    """A group that shows a LabError as one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Print a LabError, and exit with 1."""
        try:
            return super().invoke(ctx)
        except LabError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(1)


@click.group(cls=LabGroup)
@click.option("--name", default=record.DEFAULT, show_default=True, help="Name of the lab.")
@click.pass_context
def main(ctx: click.Context, name: str) -> None:
    """Run real Debian servers on this machine, on a network without a way out.

    Example: python -m lab up 3
    """
    ctx.obj = name


def say(line: str) -> None:
    """Print a line of progress to stderr."""
    click.echo(line, err=True)


@main.command()
@click.argument("count", type=int, default=3)
@click.pass_obj
def up(name: str, count: int) -> None:
    """Start the lab with COUNT hosts. Hosts that run stay; broken parts are repaired.

    Example: python -m lab up 3
    """
    lab = Lab.up(name, count, say=say)
    show(lab)


@main.command()
@click.option("--all", "everything", is_flag=True, help="Show all labs of this machine.")
@click.pass_obj
def status(name: str, everything: bool) -> None:
    """Show the state of each host: on, off or paused.

    Example: python -m lab status --all
    """
    for lab in every_lab() if everything else [Lab.find(name)]:
        show(lab)


def show(lab: Lab) -> None:
    """Print a lab, with one line for each host."""
    made_by = "this checkout" if lab.record.ours else lab.record.owner
    click.echo(f"{lab.name}  {lab.record.network.block4}  made by {made_by}")
    for host in lab.hosts:
        login = f"{host.ssh_user}@{host.address}"
        click.echo(f"  {host.name:7} {host.state:7} {login:21} {host.address6}")


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("host")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def ssh(name: str, host: str, command: Sequence[str]) -> None:
    """Log in to HOST, or run COMMAND on it.

    Example: python -m lab ssh lab1 systemctl status
    """
    words = Lab.find(name).host(host).ssh_command(*command)
    sys.exit(subprocess.run(words, check=False).returncode)


def verb(name: str, act: Callable[[Host], None], text: str) -> None:
    """Add the command *name*, which calls *act* for a host."""

    @main.command(name, help=f"{text}\n\nExample: python -m lab {name} lab1")
    @click.argument("host")
    @click.pass_obj
    def command(lab: str, host: str) -> None:
        act(Lab.find(lab).host(host))


verb("cut", Host.cut, "Pull the network cable of HOST.")
verb("heal", Host.heal, "Plug the network cable of HOST in again.")
verb("drop", Host.drop, "Drop every packet to and from HOST silently.")
verb("undrop", Host.undrop, "Stop dropping packets of HOST (also after `loss`).")
verb("pause", Host.pause, "Make HOST hang: it accepts connections and never answers.")
verb("resume", Host.resume, "Continue a paused HOST.")
verb("crash", Host.crash, "Cut the power of HOST.")
verb("start", Host.start, "Switch HOST on.")
verb("reboot", Host.reboot, "Reboot HOST with an orderly shutdown.")
verb("poweroff", Host.poweroff, "Shut HOST down in an orderly way.")


@main.command()
@click.argument("host")
@click.argument("milliseconds", type=click.FloatRange(min=0))
@click.pass_obj
def delay(name: str, host: str, milliseconds: float) -> None:
    """Delay every packet of HOST by MILLISECONDS each way. 0 ends the delay.

    Example: python -m lab delay lab1 100
    """
    Lab.find(name).host(host).delay(milliseconds)


@main.command()
@click.argument("host")
@click.argument("percent", type=click.FloatRange(0, 100))
@click.pass_obj
def loss(name: str, host: str, percent: float) -> None:
    """Drop PERCENT of the packets of HOST each way. 0 ends the loss.

    Example: python -m lab loss lab1 30
    """
    Lab.find(name).host(host).loss(percent)


@main.command()
@click.option("--all", "everything", is_flag=True, help="End all labs of this machine.")
@click.pass_obj
def down(name: str, everything: bool) -> None:
    """End the lab and delete its hosts. The image stays for the next lab.

    Example: python -m lab down
    """
    ended = [written for written in record.every() if everything or written.name == name]
    for written in ended:
        Lab(written).down()
        say(f"lab {written.name} is down")
    if not ended:
        say("no lab is up" if everything else f"no lab called {name} is up: nothing to end")


@main.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Copy the files to this folder (default: leave them in the folder of the lab).",
)
def core(out: Path | None) -> None:
    """Make the real xray program and its release archive. Their bytes are always the same.

    Example: python -m lab core --out build/core
    """
    made = ensure_core(out, say)
    click.echo(f"version  {made.version}\nprogram  {made.program}")
    click.echo(f"archive  {made.archive}\nsha256   {made.sha256}")


@main.command("purge")
@click.confirmation_option(prompt="End all labs, and remove the image and the cores too?")
def purge_all() -> None:
    """End all labs, and remove every file of the lab from this machine.

    Example: python -m lab purge --yes
    """
    purge()
