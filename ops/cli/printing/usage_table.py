"""The table of usage, with the reasons for missing bytes below it, and its CSV."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ops.cli.printing import console
from ops.model import Traffic
from ops.model.phrases import duration
from ops.reporting.usage import TIMES, reasons, rulings

if TYPE_CHECKING:
    from ops.ledger import Missing, Usage, UsageRow

_FORMATS = {"hour": "%Y-%m-%d %H:%M%z", "day": "%Y-%m-%d", "month": "%Y-%m"}
_MOST = 12
"""Reasons below a table; --json has all of them."""


def text(answer: "Usage", by: Sequence[str]) -> str:
    """Return the table of *answer* with its heading and the reasons for missing bytes."""
    from ops.ledger import WORDS

    lines = [_heading(answer), "", _table(answer, _columns(by)), *_reasons(reasons(answer))]
    lines += [
        f"\n{one.host}: {one.by} {WORDS[one.kind]} "
        f"({one.since:%Y-%m-%d %H:%M:%S} UTC, {_span(one)})"
        for one in rulings(answer)
    ]
    return "\n".join(lines)


def csv(answer: "Usage", by: Sequence[str]) -> str:
    """Return the rows of *answer* as CSV."""
    columns = _columns(by)
    body = (
        [
            *(_plain(row, column) for column in columns),
            *_amounts(row),
            row.certainty,
        ]
        for row in answer.rows
    )
    amounts = ("uplink_bytes", "downlink_bytes", "total_bytes")
    return console.as_csv([*columns, *amounts, "certainty"], body)


def _amounts(row: "UsageRow") -> tuple[int | str, ...]:
    """Return the bytes of *row*; empty if they are unknown."""
    if row.certainty == "unknown":
        return "", "", ""
    return row.traffic.uplink, row.traffic.downlink, row.traffic.total


def _columns(by: Sequence[str]) -> list[str]:
    return [name for name in (*TIMES, "key", "host") if name in by]


def _heading(answer: "Usage") -> str:
    begin, end = (f"{at:%Y-%m-%d %H:%M}" for at in (answer.since, answer.until))
    never = sum(at is None for at in answer.read_at.values())
    as_of = f"as of {answer.as_of:%Y-%m-%d %H:%M:%S} UTC" if answer.as_of else "not yet read"
    unread = f"; {never} of {len(answer.read_at)} hosts never read" if never else ""
    resets = any(row.reset for row in answer.rows)
    span = "since each key was reset" if resets else f"from {begin}"
    return f"Usage {span} until {end} ({answer.zone}), {as_of}{unread}."


def _table(answer: "Usage", columns: Sequence[str]) -> str:
    def figures(traffic: Traffic, certainty: str) -> list[str]:
        amounts = (traffic.uplink, traffic.downlink, traffic.total)
        if certainty == "unknown":
            return ["?", "?", "?", certainty]
        return [*(console.size(amount) for amount in amounts), certainty]

    if any(row.reset for row in answer.rows):
        columns = [*columns, "reset"]
    body = [[*_names(row, columns), *figures(row.traffic, row.certainty)] for row in answer.rows]
    names = ["total", *[""] * (len(columns) - 1)]
    body.append([*names, *figures(answer.total, answer.certainty)])
    return console.table([*columns, "up", "down", "total", "certainty"], body, numbers=4)


def _names(row: "UsageRow", columns: Sequence[str]) -> list[str]:
    def name(column: str) -> str:
        if column in TIMES and row.late:
            return f"{row.since:%m-%d %H:%M} to {row.until:%m-%d %H:%M}"
        if column in TIMES:
            return row.since.strftime(_FORMATS[column])
        if column == "reset":
            return f"{row.reset:%Y-%m-%d %H:%M:%S}"
        if column == "key" and row.gone:
            return f"{row.key} (until {row.gone:%Y-%m-%d})"
        return str(getattr(row, column))

    return [name(column) for column in columns]


def _reasons(missing: Sequence["Missing"]) -> Iterator[str]:
    """Yield a line for each of the longest reasons, and the number of the others."""
    from ops.ledger import WORDS

    if missing:
        yield "\nReasons why these figures may lack bytes:"
    for one in sorted(missing, key=lambda one: -one.span)[:_MOST]:
        where = one.host or "every host"
        yield f"  {where}: {WORDS[one.kind]} ({one.since:%Y-%m-%d %H:%M:%S} UTC, {_span(one)})"
    if left := Counter(one.kind for one in missing) if len(missing) > _MOST else None:
        counted = ", ".join(f"{count} {kind}" for kind, count in sorted(left.items()))
        yield f"  and {len(missing) - _MOST} more: in all {counted}; --json has each"


def _span(one: "Missing") -> str:
    seconds = one.span.total_seconds()
    return duration(one.span) if seconds >= 1 else f"at most {round(seconds * 1000)} ms"


def _plain(row: "UsageRow", column: str) -> str:
    if column in TIMES and row.late:
        return f"{row.since.isoformat()}/{row.until.isoformat()}"
    return row.since.isoformat() if column in TIMES else str(getattr(row, column))
