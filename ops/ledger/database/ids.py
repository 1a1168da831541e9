"""Numbers for the names of hosts, keys and users: tables hold numbers."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select

from ops.ledger.database.bulk import add_missing, in_parts
from ops.ledger.database.rows import HostRow
from ops.ledger.database.schema import hosts, keys, users
from ops.model.key import key_of

_NAMES: BindParameter[str] = bindparam("names", expanding=True)
_HOSTS = select(hosts).where(hosts.c.name.in_(_NAMES)).order_by(hosts.c.name).with_for_update()
_USERS = select(users.c.name, users.c.id).where(users.c.name.in_(_NAMES))
_LIVES = select(keys.c.name, keys.c.born, keys.c.id).order_by(keys.c.life)
_LIVES_OF = _LIVES.where(keys.c.name.in_(_NAMES))


def locked_hosts(tx: Connection, names: Iterable[str], frame: Any, now: int) -> dict[str, HostRow]:
    """Return the rows of the hosts *names*, by name, locked until *tx* ends.

    Missing rows are created. All collectors lock in the order of names, so that no two wait for
    each other. *frame* is the ledger's own row; *now* is in milliseconds.
    """
    wanted = sorted(set(names))
    these = {"names": wanted}
    rows = {row.name: HostRow(**row._mapping) for row in tx.execute(_HOSTS, these)}
    if len(rows) < len(wanted):
        earliest = min(frame.told or frame.created, now)
        blank = {"known": now, "listed": False, "adopted": "", "earliest": earliest}
        # Only missing names are inserted, because PostgreSQL uses up a number for each attempt.
        add_missing(tx, hosts, [{"name": name, **blank} for name in wanted if name not in rows])
        rows = {row.name: HostRow(**row._mapping) for row in tx.execute(_HOSTS, these)}
    return rows


def user_ids(tx: Connection, names: Iterable[str]) -> dict[str, int]:
    """Return the numbers of the core's users *names*; new names get a number."""
    found: dict[str, int] = {}
    for chunk in in_parts(sorted(set(names))):
        found.update((name, id_) for name, id_ in tx.execute(_USERS, {"names": chunk}))
        missing = [name for name in chunk if name not in found]
        add_missing(tx, users, [{"name": name} for name in missing])
        if missing:
            found.update((name, id_) for name, id_ in tx.execute(_USERS, {"names": chunk}))
    return found


class Lives:
    """The lives of keys. A byte belongs to the life that had begun at the moment of its reading."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self._lives: dict[str, list[tuple[int, int]]] = {}
        for name, born, id_ in tx.execute(_LIVES):
            self._lives.setdefault(name, []).append((born, id_))

    def ensure(self, core_users: Iterable[str], now: int) -> None:
        """Begin the first life of each new key among *core_users*."""
        names = {key_of(user) for user in core_users} - self._lives.keys()
        for name in sorted(names):
            add_missing(self._tx, keys, [{"name": name, "life": 1, "born": now}])
        if names:
            for name, born, id_ in self._tx.execute(_LIVES_OF, {"names": sorted(names)}):
                self._lives.setdefault(name, []).append((born, id_))

    def at(self, user: str, moment: int) -> int:
        """Return the number of the life that *user* had at *moment* (milliseconds)."""
        lives = self._lives[key_of(user)]
        if len(lives) == 1:
            return lives[0][1]
        return lives[max(0, bisect_right([born for born, _ in lives], moment) - 1)][1]
