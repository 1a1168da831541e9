"""A length of time as the value of an option."""

import math
from datetime import timedelta
from typing import Any

import click

from ops.errors import UsageError
from ops.reporting import spans


class Length(click.ParamType):  # type: ignore[type-arg]
    """A length of time, such as ``30s``, ``5m``, ``1h`` or ``2d``."""

    name = "length"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        """Return the length that *value* writes."""
        if isinstance(value, timedelta):
            return value
        try:
            return spans.length(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


class Seconds(click.FloatRange):
    """A number of seconds that a clock can wait for: neither ``nan`` nor ``inf``."""

    def __init__(self, least: float) -> None:
        super().__init__(min=least, max=spans.LONGEST.total_seconds())

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return the number that *value* writes."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):  # no comparison finds it out of range
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return seconds
