"""``ops completion``: a script with which a shell completes verbs, options and names."""

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print a script that completes verbs, options, hosts, groups, keys and inbounds in SHELL.

    The names come from the fleet of the folder that you are in; secrets are not read.

    \b
    Example:
      ops completion bash > ~/.local/share/bash-completion/completions/ops
      ops completion zsh > ~/.zfunc/_ops          # a folder in $fpath
      ops completion fish > ~/.config/fish/completions/ops.fish
    """
    script = get_completion_class(shell)
    assert script  # noqa: S101
    root = click.get_current_context().find_root()
    click.echo(script(root.command, {}, "ops", "_OPS_COMPLETE").source())
