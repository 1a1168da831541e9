"""Questions to the product, asked through the code of `ops usage`, `ops reset` and `ops status`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ops.ledger import Usage, month
from ops.ledger.answers.spans import By
from ops.reporting.selection import Selection
from ops.reporting.status import status
from ops.reporting.usage import narrowed
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


def selected(world: World, hosts: Iterable[str] = (), keys: Iterable[str] = ()) -> Selection:
    """Return what the options of a command select."""
    return Selection(world.inventory.fleet(), tuple(hosts), (), tuple(keys))


def ask(world: World, books: Books, question: Question) -> Usage:
    """Return the answer to *question*."""
    begin, end = span_of(world, books, question.span)
    ledger = books.ledger
    chosen = selected(world, question.hosts, question.keys)
    narrowing = narrowed(chosen, ledger, question.zone)
    return ledger.usage(begin, end, by=question.by, **narrowing)


def since_reset(world: World, books: Books) -> Usage:
    """Return what each key used since it was reset."""
    return books.ledger.usage_since_marks(**narrowed(selected(world), books.ledger))


def state(world: World, books: Books) -> str:
    """Return the line of `ops status`."""
    return status(selected(world), books.ledger).line


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
