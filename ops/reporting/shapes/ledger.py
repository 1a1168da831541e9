"""The JSON of figures from the ledger: usage, resets, bills, known hosts, rounds."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ops.model import Certainty, Fleet, Traffic
from ops.reporting.billing import Bill
from ops.reporting.shapes.values import failures, moment, moment_or_none, traffic_bytes
from ops.reporting.usage import TIMES

if TYPE_CHECKING:
    from ops.counting.collecting import Collected
    from ops.ledger import HostState, Mark, Missing, Usage, UsageRow


def usage(fleet: Fleet, answer: "Usage", by: Sequence[str]) -> dict[str, Any]:
    """Return the JSON of `ops usage`."""
    known = {key.name for key in fleet.keys}
    return {
        "since": moment(answer.since),
        "until": moment(answer.until),
        "zone": answer.zone,
        "as_of": moment_or_none(answer.as_of),
        "read_at": {host: moment_or_none(at) for host, at in sorted(answer.read_at.items())},
        "certainty": answer.certainty,
        "usage": [_row(row, by, known) for row in answer.rows],
        "total": {"traffic_bytes": _known(answer.total, answer.certainty)},
        "missing": [_missing(one) for one in answer.missing],
    }


def mark(mark: "Mark", read_at: Mapping[str, datetime | None]) -> dict[str, Any]:
    """Return the JSON of `ops reset`; *read_at* is when each host of the key had been read."""
    return {
        "key": mark.key,
        "at": moment(mark.at),
        "counted_from": moment(mark.counted_from),
        "read_at": {host: moment_or_none(at) for host, at in sorted(read_at.items())},
        "before": {"traffic_bytes": traffic_bytes(mark.before)},
        "since": {"traffic_bytes": traffic_bytes(mark.after)},
    }


def bill(bill: Bill) -> dict[str, Any]:
    """Return the JSON of one host in `ops usage --by host --nic`."""
    return {
        "host": bill.host.name,
        "since": moment(bill.since),
        "until": moment(bill.until),
        "payload_bytes": None if bill.payload is None else bill.payload.total,
        "received_bytes": bill.received,
        "sent_bytes": bill.sent,
        "billed_bytes": bill.billed,
        "included_bytes": bill.host.billing.included,
        "direction": bill.host.billing.direction,
        "certainty": bill.certainty,
    }


def host_state(state: "HostState") -> dict[str, Any]:
    """Return the JSON of one host in `ops ledger status`."""
    return {
        "host": state.name,
        "run": state.run,
        "adopted": state.adopted,
        "decision": state.decision or None,
        "waiting_bytes": state.waiting,
        "absent": state.absent,
        "known_since": moment(state.known_since),
        "read_at": moment_or_none(state.read_at),
        "counting_since": moment_or_none(state.counting_since),
        "gone": moment_or_none(state.gone),
        "done": moment_or_none(state.done),
    }


def round_of_collecting(round_: "Collected") -> dict[str, Any]:
    """Return the JSON of one round of `ops collect`."""
    return {
        "began": moment(round_.began),
        "seconds": round(round_.seconds, 3),
        "asked": round_.asked,
        "elsewhere": round_.elsewhere,
        "read": list(round_.read),
        "failures": failures(round_.failures),
        "booked": {
            "uplink_bytes": round_.booked.uplink,
            "downlink_bytes": round_.booked.downlink,
        },
        "unadopted": list(round_.unadopted),
        "warnings": list(round_.warnings),
        "notes": list(round_.notes),
        "ledger_error": round_.ledger_error or None,
    }


def _row(row: "UsageRow", by: Sequence[str], known: set[str]) -> dict[str, Any]:
    shape: dict[str, Any] = {name: getattr(row, name) for name in ("key", "host") if name in by}
    if "key" in by:
        shape |= {"life": row.life, "until_gone": moment_or_none(row.gone)}
        shape["in_inventory"] = row.key in known and row.gone is None
    if set(by) & set(TIMES):
        shape |= {"since": moment(row.since), "until": moment(row.until), "late": row.late}
    if row.reset:
        shape["reset_at"] = moment(row.reset)
    amounts = _known(row.traffic, row.certainty)
    return shape | {"certainty": row.certainty, "traffic_bytes": amounts}


def _known(traffic: Traffic, certainty: Certainty) -> dict[str, Any] | None:
    """Return the JSON of *traffic*; null if it is unknown."""
    return None if certainty == "unknown" else traffic_bytes(traffic)


def _missing(one: "Missing") -> dict[str, Any]:
    return {
        "host": one.host,
        "kind": one.kind,
        "run": one.run,
        "by": one.by,
        "since": moment(one.since),
        "until": moment(one.until),
        "milliseconds": round(one.span.total_seconds() * 1000),
    }
