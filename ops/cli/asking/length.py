"""A length of time as the value of an option."""

from typing import Any

import click

from ops.errors import UsageError
from ops.reporting import spans


class Length(click.ParamType):  # type: ignore[type-arg]
    """A length of time, such as ``30``, ``0.5s``, ``5m``, ``1h`` or ``2d``."""

    name = "length"

    def __init__(self, least: float = 0.0) -> None:
        self._least = least
        """Seconds; a shorter length is refused."""

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return the seconds that *value* writes."""
        if isinstance(value, float):
            return value
        try:
            seconds = spans.length(str(value)).total_seconds()
        except UsageError as error:
            self.fail(str(error), param, ctx)
        if seconds < self._least:
            self.fail(f"{value!r} is too short: write at least {self._least}s", param, ctx)
        return seconds
