"""Questions to the product, asked through the code of `ops usage`, `ops reset` and `ops status`."""

from collections.abc import Iterable, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

from ops.cli import status, usage
from ops.cli.options import Selected
from ops.ledger import Usage, month
from ops.ledger.answers.spans import By
from tests.simulation.books import Books
from tests.simulation.clock import when
from tests.simulation.world import World

FIVE = 300_000
HOUR = 3_600_000
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: everything in it is plain, so that a history can hold it."""

    by: tuple[By, ...] = ("key",)
    span: str = "life"
    """``life``, ``month``, ``last month``, ``future``, ``before``, ``day`` or ``from to``."""
    hosts: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    zone: str = ""
    """In whose days; the ledger's if empty."""


def selected(world: World, hosts: Iterable[str] = (), keys: Iterable[str] = ()) -> Selected:
    """Return what the options of a command select."""
    chosen = Selected(None, tuple(hosts), (), tuple(keys))
    chosen.__dict__["fleet"] = world.inventory.fleet()
    return chosen


def ask(world: World, books: Books, question: Question) -> Usage:
    """Return the answer to *question*."""
    begin, end = span_of(world, books, question.span)
    ledger = books.ledger
    chosen = selected(world, question.hosts, question.keys)
    narrowed = usage._narrowed(chosen, ledger, question.zone)
    return ledger.usage(begin, end, by=question.by, **narrowed)


def since_reset(world: World, books: Books) -> Usage:
    """Return what each key used since it was reset."""
    return books.ledger.usage_since_marks(**usage._narrowed(selected(world), books.ledger, ""))


def state(world: World, books: Books) -> str:
    """Return the line of `ops status`."""
    given = [selected(world), books.ledger, timedelta(minutes=10)]
    with redirect_stderr(StringIO()):  # hosts in maintenance are named there
        return str(status._state(*given)[1])  # type: ignore[arg-type]


def span_of(world: World, books: Books, span: str) -> tuple[datetime, datetime]:
    """Return the moments that *span* names."""
    here = world.time.now + world.time.here
    zone = ZoneInfo(books.ledger.zone)
    today = when(here).astimezone(zone).date()
    if span == "life":
        return when(here - 4000 * DAY), when(max(here, world.time.now) + DAY)
    if span in ("month", "last month"):
        day = today if span == "month" else today.replace(day=1) - timedelta(days=1)
        return month(day.year, day.month, zone)
    if span == "future":
        return when(here + DAY), when(here + 2 * DAY)
    if span == "before":
        return when(books.told.begun - 40 * DAY), when(books.told.begun - 30 * DAY)
    if span == "day":
        return when(here - DAY), when(here)
    begin, end = map(int, span.split())
    return when(begin), when(end)


def agreeing(question: Question) -> Sequence[Question]:
    """Return questions about the same bytes, in other rows."""
    ways: tuple[tuple[By, ...], ...] = (("key",), ("host",), ("key", "host"), ("month",), ("day",))
    days = question.span != "life"  # ten years have more days than an answer has lines
    return [
        Question(by, question.span, question.hosts, question.keys)
        for by in ways
        if days or by != ("day",)
    ]
