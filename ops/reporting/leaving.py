"""Hosts that are to have no core: which of them can be deleted from the inventory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ops.ledger import HostState


def unfinished(states: Mapping[str, "HostState"], absent: Sequence[str]) -> list[str]:
    """Return those of the *absent* hosts that may hold readings that were not fetched."""
    return [name for name in absent if not _is_done(states, name)]


def deletable(states: Mapping[str, "HostState"], absent: Sequence[str]) -> list[str]:
    """Return those of the *absent* hosts that can be deleted from hosts.toml without a loss."""
    return [name for name in absent if _is_done(states, name)]


def _is_done(states: Mapping[str, "HostState"], name: str) -> bool:
    return name in states and states[name].done is not None


def about_deleted(
    states: "Iterable[HostState]", deleted: Sequence[str], *, renamed: bool
) -> Iterator[str]:
    """Yield a sentence for each *deleted* host: whether the ledger has all that it counted.

    *renamed*: other hosts are new, so a deleted host may be one of them under its old name.
    """
    by_name = {state.name: state for state in states}
    if deleted and renamed:
        yield "a server that only gets another name loses nothing: each byte is counted once"
    for name in deleted:
        state = by_name.get(name)
        if state is None:
            yield f"{name} is deleted: do so only after `ops status` said that it can be deleted"
        elif state.absent and state.done:
            yield f"{name} can be deleted: nothing is left to fetch from it"
        else:
            yield (
                f"{name} is deleted before its last readings were fetched, so figures of that time "
                'stay at least for ever: set state = "absent", roll out, and run `ops collect` '
                "until `ops status` says that it can be deleted"
            )
