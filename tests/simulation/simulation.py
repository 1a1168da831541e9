"""One simulation: a world, its ledgers, the processes that collect, and the oracle."""

from ops.counting.collecting import Collected
from ops.ledger import Adopt
from ops.model import Observation
from tests.simulation import clock
from tests.simulation.books import Books
from tests.simulation.claims import FalseError
from tests.simulation.collectors import Death, Process
from tests.simulation.inventory import Inventory
from tests.simulation.oracle import Oracle
from tests.simulation.world import World


class Simulation:
    """All that exists in one history."""

    def __init__(self, began: int, zone: str) -> None:
        self.time = clock.begin(began)
        self.world = World(self.time, Inventory(zone))
        self.oracle = Oracle(self.world, at_rest=True)
        self._zone = zone
        self._ledgers: dict[int, Books] = {}
        self._services: dict[int, Process] = {}
        self._late: dict[int, list[Observation]] = {}

    @property
    def ledgers(self) -> tuple[int, ...]:
        """Return the numbers of the ledgers that were begun."""
        return tuple(self._ledgers)

    def ledger(self, number: int) -> Books:
        """Return a ledger; it is begun if need be."""
        if number not in self._ledgers:
            self._ledgers[number] = Books(self.world, number, self._zone)
        return self._ledgers[number]

    def serve(self, number: int, *, on: bool) -> None:
        """Begin or end a process that collects for ever."""
        if on and number not in self._services:
            self._services[number] = Process(self.world, self.ledger(number))
        elif not on and number in self._services:
            self._services.pop(number).end()

    def round(
        self, number: int, *, death: Death | None = None, away: bool = False, late: bool = False
    ) -> None:
        """Let the service of a ledger make a round; where there is none, a new process does."""
        service = self._services.get(number)
        process = service or Process(self.world, self.ledger(number))
        process.ledger.away = away
        process.ledger.late = self._late.setdefault(number, []) if late else None
        collected = process.round(for_ever=service is not None, death=death)
        process.ledger.away, process.ledger.late = False, None
        if collected is None:
            self._services.pop(number, None)
        elif not (away or late):
            _sound(collected)

    def thaw(self, number: int) -> None:
        """Let a process that was held up book what it read."""
        if late := self._late.pop(number, None):
            self.ledger(number).ledger.book_all(late)

    def adopt(self, number: int, host: str, how: str) -> None:
        """Decide about the older counters of a host, in a process of its own."""
        if host not in self.world.inventory.hosts:
            return
        adopt: Adopt = "count" if how == "count" else "baseline"
        books = self.ledger(number)
        books.ledger.decide([host], adopt)
        books.told.decided(host, self.time.now, adopt)


def _sound(collected: Collected) -> None:
    if collected.ledger_error:
        raise FalseError("a round failed", "collect", collected.ledger_error)
