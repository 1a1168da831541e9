"""How usage looks: a table with what may be missing below it, JSON, CSV."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ops.cli.options import Format, Selected
from ops.cli.printing import console
from ops.model import Traffic
from ops.reporting.traffic import traffic_bytes

if TYPE_CHECKING:
    from ops.ledger import Missing, Usage, UsageRow

_TIMES = {"hour": "%Y-%m-%d %H:%M%z", "day": "%Y-%m-%d", "month": "%Y-%m"}
_MOST = 12
"""Lines of what may be missing, below a table; --json has all."""


def show_usage(selected: Selected, answer: "Usage", by: Sequence[str], output: Format) -> None:
    """Print *answer* as *output*, in the columns that *by* asks for."""
    columns = [name for name in ("month", "day", "hour", "key", "host") if name in by]
    rows = _ordered(answer.rows, columns)
    if output == "json":
        click.echo(console.as_json(_json(selected, answer, rows, columns)))
    elif output == "csv":
        click.echo(_csv(rows, columns))
    else:
        click.echo(f"{_heading(answer)}\n\n{_table(answer, rows, columns)}")
        for line in _notes(_lacking(answer)):
            click.echo(line)


def _ordered(rows: Sequence["UsageRow"], columns: Sequence[str]) -> list["UsageRow"]:
    most = sorted(rows, key=lambda row: (-row.traffic.total, row.key, row.host, row.life))
    timed = any(column in _TIMES for column in columns)
    return sorted(most, key=lambda row: row.since) if timed else most


def _heading(answer: "Usage") -> str:
    begin, end = (f"{at:%Y-%m-%d %H:%M}" for at in (answer.since, answer.until))
    never = sum(at is None for at in answer.read_at.values())
    as_of = f"as of {answer.as_of:%Y-%m-%d %H:%M:%S} UTC" if answer.as_of else "not yet read"
    unread = f"; {never} of {len(answer.read_at)} hosts never read" if never else ""
    return f"Usage from {begin} until {end} ({answer.zone}), {as_of}{unread}."


def _table(answer: "Usage", rows: Sequence["UsageRow"], columns: Sequence[str]) -> str:
    def figures(traffic: Traffic, certainty: str) -> list[str]:
        amounts = (traffic.uplink, traffic.downlink, traffic.total)
        return [*(console.size(amount) for amount in amounts), certainty]

    body = [[*_names(row, columns), *figures(row.traffic, row.certainty)] for row in rows]
    names = ["total", *[""] * (len(columns) - 1)]
    body.append([*names, *figures(answer.total, answer.certainty)])
    return console.table([*columns, "up", "down", "total", "certainty"], body, numbers=4)


def _names(row: "UsageRow", columns: Sequence[str]) -> list[str]:
    def name(column: str) -> str:
        if column in _TIMES and row.late:
            return f"{row.since:%m-%d %H:%M} to {row.until:%m-%d %H:%M}"
        if column in _TIMES:
            return row.since.strftime(_TIMES[column])
        if column == "key" and row.gone:
            return f"{row.key} (until {row.gone:%Y-%m-%d})"
        return str(getattr(row, column))

    return [name(column) for column in columns]


def _lacking(answer: "Usage") -> list["Missing"]:
    """Return what makes any shown figure less than exact: a gap inside a span's figure does not."""
    spans = {(answer.since, answer.until), *((row.since, row.until) for row in answer.rows)}
    return [one for one in answer.missing if any(one.effect(*span) != "exact" for span in spans)]


def _notes(missing: Sequence["Missing"]) -> Iterator[str]:
    """Say what may be missing: the longest first, and how many more there are."""
    from ops.ledger import WORDS

    if missing:
        yield "\nWhat these figures may lack:"
    for one in sorted(missing, key=lambda one: -one.span)[:_MOST]:
        where = one.host or "every host"
        yield f"  {where}: {WORDS[one.kind]} ({one.since:%Y-%m-%d %H:%M:%S} UTC, {_span(one)})"
    if left := Counter(one.kind for one in missing) if len(missing) > _MOST else None:
        counted = ", ".join(f"{count} {kind}" for kind, count in sorted(left.items()))
        yield f"  and {len(missing) - _MOST} more: in all {counted}; --json has each"


def _span(one: "Missing") -> str:
    seconds = one.span.total_seconds()
    return console.span(one.span) if seconds >= 1 else f"at most {round(seconds * 1000)} ms"


def _csv(rows: Sequence["UsageRow"], columns: Sequence[str]) -> str:
    amounts = ("uplink_bytes", "downlink_bytes", "total_bytes")
    body = (
        [
            *(_plain(row, column) for column in columns),
            *(row.traffic.uplink, row.traffic.downlink, row.traffic.total, row.certainty),
        ]
        for row in rows
    )
    return console.as_csv([*columns, *amounts, "certainty"], body)


def _plain(row: "UsageRow", column: str) -> str:
    if column in _TIMES and row.late:
        return f"{row.since.isoformat()}/{row.until.isoformat()}"
    return row.since.isoformat() if column in _TIMES else str(getattr(row, column))


def _json(
    selected: Selected, answer: "Usage", rows: Sequence["UsageRow"], columns: Sequence[str]
) -> dict[str, Any]:
    known = {key.name for key in selected.fleet.keys}
    return {
        "since": _moment(answer.since),
        "until": _moment(answer.until),
        "zone": answer.zone,
        "as_of": _moment(answer.as_of),
        "read_at": {host: _moment(at) for host, at in sorted(answer.read_at.items())},
        "certainty": answer.certainty,
        "usage": [_row(row, columns, known) for row in rows],
        "total": {"traffic_bytes": _bytes(answer.total)},
        "missing": [
            {
                "host": one.host,
                "kind": one.kind,
                "run": one.run,
                "since": console.moment(one.since),
                "until": console.moment(one.until),
                "milliseconds": round(one.span.total_seconds() * 1000),
            }
            for one in answer.missing
        ],
    }


def _row(row: "UsageRow", columns: Sequence[str], known: set[str]) -> dict[str, Any]:
    about: dict[str, Any] = {name: getattr(row, name) for name in columns if name not in _TIMES}
    if "key" in columns:
        about |= {"life": row.life, "until_gone": _moment(row.gone)}
        about["in_inventory"] = row.key in known and row.gone is None
    if any(name in _TIMES for name in columns):
        about |= {"since": _moment(row.since), "until": _moment(row.until), "late": row.late}
    return about | {"certainty": row.certainty, "traffic_bytes": _bytes(row.traffic)}


def _bytes(traffic: Traffic) -> dict[str, Any]:
    return dict(traffic_bytes(traffic))


def _moment(when: datetime | None) -> str | None:
    return console.moment(when.astimezone(UTC)) if when else None
