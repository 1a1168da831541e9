"""An error that ends the whole pyinfra run, before anything changes on any host."""

from typing import Any

from pyinfra import logger
from pyinfra.api.exceptions import PyinfraError
from typing_extensions import override


def run_error(message: object) -> PyinfraError:
    """Return the exception that ends the run and prints only *message*.

    pyinfra re-raises a `PyinfraError`, and calls `show` of a `CliError`. Other exceptions get the
    file and line of our code before their message.
    """
    # Imported here, because this import lets gevent patch the process. Only pyinfra may do that.
    from pyinfra_cli.exceptions import CliError  # type: ignore[import-untyped]

    class RunError(PyinfraError, CliError):  # type: ignore[misc]
        @override
        def show(self, file: Any = None) -> None:
            logger.error("--> Error: %s", self.message)

    return RunError(str(message))
