"""The keys in keys.toml."""

from ops.fleet.inventory.shape.table import Table
from ops.fleet.inventory.values import Reference, Words


class KeyTable(Table):
    """``[keys.NAME]``: the access of one person.

    NAME is the name of the person's counters. Do not use the name again for another person.
    """

    opens: list[Reference] = ["all"]
    """The inbounds that the key opens: ``all``, a host, a group, or one inbound of these, as
    ``edge/ws``.

    Example: opens = ["edge", "fra1/reality"]
    """
    note: Words = ""
    """A note for the operators. Clients do not see it.

    Example: note = "until the end of the year"
    """
