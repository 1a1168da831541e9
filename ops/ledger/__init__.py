"""The ledger: a database, SQLite or PostgreSQL, in which readings become usage.

Usage is the sum over the core's runs of the highest value seen, by user and direction. Runs have an
identity, so neither clocks nor the order of readings change a sum. Every answer has the reasons
why it may lack bytes.
"""

from ops.ledger.answers.marks import Mark
from ops.ledger.answers.missing import WORDS, Missing
from ops.ledger.answers.nic import NicUsage
from ops.ledger.answers.question import Narrowed
from ops.ledger.answers.spans import By, billing_month, month
from ops.ledger.answers.usage import Usage, UsageRow
from ops.ledger.booking.doubts import Decided
from ops.ledger.booking.enrolment import HostState
from ops.ledger.database.engine import VARIABLE
from ops.ledger.database.lease import Lease
from ops.ledger.database.rows import Adopt
from ops.ledger.ledger import Ledger
from ops.ledger.opening import open_ledger

__all__ = [
    "VARIABLE",
    "WORDS",
    "Adopt",
    "By",
    "Decided",
    "HostState",
    "Lease",
    "Ledger",
    "Mark",
    "Missing",
    "Narrowed",
    "NicUsage",
    "Usage",
    "UsageRow",
    "billing_month",
    "month",
    "open_ledger",
]
