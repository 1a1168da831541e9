"""What ends a run for all its hosts, before anything was changed."""

from typing import Any

from pyinfra import logger
from pyinfra.api.exceptions import PyinfraError
from pyinfra_cli.exceptions import CliError  # type: ignore[import-untyped]
from typing_extensions import override


class WrongError(PyinfraError, CliError):  # type: ignore[misc]
    """What is wrong with the fleet or with what was typed; its text is the whole message.

    pyinfra raises the one as it is, and lets the other show itself: before any other message it
    puts the file and the line of our code.
    """

    @override
    def show(self, file: Any = None) -> None:
        """Print the sentence."""
        logger.error("--> Error: %s", self.message)
