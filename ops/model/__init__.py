"""The values that all rooms use. This room does no I/O and uses no outside library."""

from ops.model.booking import Booked
from ops.model.fleet import ALL, Core, Fleet, Host, Maintenance, Outbound, Rule, Ssh, opens
from ops.model.inbound import Inbound
from ops.model.key import Key
from ops.model.ledger import Billing, LedgerSettings
from ops.model.reading import UNKNOWN_MACHINE, Certainty, NicCounters, Observation, Reading, Traffic
from ops.model.secret import FIELD_OF, InboundSecrets, KeySecrets, Secrets, psk_for

__all__ = [
    "ALL",
    "FIELD_OF",
    "UNKNOWN_MACHINE",
    "Billing",
    "Booked",
    "Certainty",
    "Core",
    "Fleet",
    "Host",
    "Inbound",
    "InboundSecrets",
    "Key",
    "KeySecrets",
    "LedgerSettings",
    "Maintenance",
    "NicCounters",
    "Observation",
    "Outbound",
    "Reading",
    "Rule",
    "Secrets",
    "Ssh",
    "Traffic",
    "opens",
    "psk_for",
]
