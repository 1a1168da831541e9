"""Whatever the order, however often, whoever dies in between: the sums are the same."""

import random
from datetime import timedelta

import pytest

from ops.ledger import By
from ops.model import Observation, Traffic
from tests.ledgers import NOON, Books, Server

HOSTS = ("ams1", "fra1", "lon1")
KEYS = ("alice", "bob", "bob2", "alice~2", "carol")


def a_day(chance: random.Random, books: Books) -> tuple[list[Observation], Traffic]:
    """Return the visits of a day in which cores live and die, and what their readings hold."""
    visits: list[Observation] = []
    highest: dict[tuple[str, str, str], tuple[int, int]] = {}
    for name in HOSTS:
        server, number = Server(name, books.clock, run=f"{name}-0"), 0
        for _ in range(25):
            books.clock.pass_(seconds=chance.randint(1, 2000))
            for key in chance.sample(KEYS, chance.randint(0, 3)):
                server.use(key, chance.randint(0, 10**6), chance.randint(0, 10**12))
            event = chance.random()
            if event < 0.3:
                server.keep()
            elif event < 0.45:
                number += 1
                if chance.random() < 0.5:
                    server.stop()
                server.start(f"{name}-{number}")
            else:
                visits.append(server.visit(alive=chance.random() < 0.9))
        visits.append(server.visit())
        books.clock.now = NOON + timedelta(seconds=1)
    for visit in visits:
        for reading in visit.readings:
            for user, used in reading.users.items():
                place = reading.host, reading.run, user
                old = highest.get(place, (0, 0))
                highest[place] = max(old[0], used.uplink), max(old[1], used.downlink)
    total = Traffic(
        sum(up for up, _ in highest.values()), sum(down for _, down in highest.values())
    )
    return visits, total


def all_of(books: Books) -> Traffic:
    since, until = NOON - timedelta(days=40), NOON + timedelta(days=40)
    cuts: list[list[By]] = [[], ["key"], ["day", "host"]]
    sums = {books.ledger.usage(since, until, by=by).total for by in cuts}
    assert len(sums) == 1
    return sums.pop()


@pytest.mark.parametrize("seed", range(12))
def test_any_order_any_repetition_comes_to_the_same(books: Books, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    books.ledger.enrol(HOSTS, [])
    books.clock.pass_(seconds=1)
    visits, total = a_day(chance, books)
    books.clock.pass_(days=1)
    shuffled = visits + chance.choices(visits, k=len(visits))
    chance.shuffle(shuffled)
    while shuffled:
        count = chance.randint(1, 9)
        books.ledger.book_all(shuffled[:count])
        del shuffled[:count]
        books.clock.pass_(seconds=chance.randint(-600, 2400))
    assert all_of(books) == total
    assert books.ledger.verify() == []


@pytest.mark.parametrize("seed", range(4))
def test_in_time_with_late_news_comes_to_the_same(books: Books, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    books.ledger.enrol(HOSTS, [])
    books.clock.pass_(seconds=1)
    visits, total = a_day(chance, books)
    for visit in sorted(visits, key=lambda v: v.now.read_at if v.now else NOON):
        if visit.now:
            books.clock.now = visit.now.read_at
        books.ledger.book(visit)
    assert all_of(books) == total
    assert books.ledger.verify() == []
