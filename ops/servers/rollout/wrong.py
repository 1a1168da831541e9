"""What ends a run for all its hosts, before anything was changed."""

from typing import Any

from pyinfra import logger
from pyinfra.api.exceptions import PyinfraError
from typing_extensions import override


def wrong(said: object) -> PyinfraError:
    """Return what ends the run with the sentence *said*, and nothing else.

    pyinfra raises the one of its two kinds as it is, and lets the other show itself: before any
    other message it puts the file and the line of our code.
    """
    # Not above: whoever imports this lets gevent patch the process, which is pyinfra's to do.
    from pyinfra_cli.exceptions import CliError  # type: ignore[import-untyped]

    class WrongError(PyinfraError, CliError):  # type: ignore[misc]
        @override
        def show(self, file: Any = None) -> None:
            logger.error("--> Error: %s", self.message)

    return WrongError(str(said))
