"""A length of time as the value of an option."""

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
