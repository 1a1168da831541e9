"""What happens to ledgers: processes that collect, decisions, copies, and questions."""

from collections.abc import Callable

from tests.simulation.collectors import EVERY, Death
from tests.simulation.questions import Question
from tests.simulation.simulation import Simulation


def _collect(s: Simulation, ledger: int) -> None:
    s.round(ledger)


def _burst(s: Simulation, ledger: int, rounds: int) -> None:
    for _ in range(rounds):
        s.round(ledger)
        s.time.pass_(int(EVERY * 1000))


def _settle(s: Simulation, ledger: int) -> None:
    """Heal all faults, begin all cores, and read every host twice."""
    for machine in s.world.machines.values():
        if machine.alive:
            machine.tick()
            machine.net = machine.heard = machine.readable = True
            machine.hung = False
            machine.start()
    s.time.pass_(130_000)
    _burst(s, ledger, 2)


def _die(s: Simulation, ledger: int, number: int, after: bool) -> None:
    s.round(ledger, death=Death(number, after))


def _serve(s: Simulation, ledger: int, on: bool) -> None:
    s.serve(ledger, on=on)


def _away(s: Simulation, ledger: int) -> None:
    s.round(ledger, away=True)


def _late(s: Simulation, ledger: int) -> None:
    """A process is held up between reading and booking."""
    s.round(ledger, late=True)


def _thaw(s: Simulation, ledger: int) -> None:
    s.thaw(ledger)


def _adopt(s: Simulation, ledger: int, name: str, how: str) -> None:
    s.adopt(ledger, name, how)


def _back_up(s: Simulation, ledger: int) -> None:
    s.ledger(ledger).back_up()


def _restore(s: Simulation, ledger: int) -> None:
    s.serve(ledger, on=False)
    s.ledger(ledger).restore()


def _mark(s: Simulation, ledger: int, key: str) -> None:
    if key in s.ledger(ledger).ledger.keys():  # noqa: SIM118 - a method of the ledger
        s.ledger(ledger).ledger.mark(key)


def _clock_here(s: Simulation, ahead: int) -> None:
    s.world.wrong_clocks = True
    s.time.here = ahead


def _ask(s: Simulation, ledger: int, question: Question) -> None:
    known = s.ledger(ledger).told
    if set(question.hosts) <= known.known.keys() and set(question.keys) <= known.opens.keys():
        s.oracle.ask(s.ledger(ledger), question)


def _agree(s: Simulation, ledger: int, question: Question) -> None:
    s.oracle.agree(s.ledger(ledger), question)


def _since_reset(s: Simulation, ledger: int) -> None:
    s.oracle.since_reset(s.ledger(ledger))


def _status(s: Simulation, ledger: int) -> None:
    s.oracle.status(s.ledger(ledger))


def _verify(s: Simulation, ledger: int) -> None:
    s.oracle.verify(s.ledger(ledger))


LEDGER_EVENTS: dict[str, Callable[..., None]] = {
    "collect": _collect,
    "burst": _burst,
    "settle": _settle,
    "die": _die,
    "serve": _serve,
    "away": _away,
    "late": _late,
    "thaw": _thaw,
    "adopt": _adopt,
    "back up": _back_up,
    "restore": _restore,
    "mark": _mark,
    "clock here": _clock_here,
    "ask": _ask,
    "agree": _agree,
    "since reset": _since_reset,
    "status": _status,
    "verify": _verify,
}
