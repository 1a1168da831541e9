"""Go back to the set before, after a swap that failed or was interrupted."""

from __future__ import annotations

from typing import Any

from ops.servers.on_host import files, health, hot_users, order, places, service, transaction
from ops.servers.on_host.failure import RolloutError, sentence


def go_back(paths: list[str]) -> str:
    """Undo the swap of *paths*, however far it came. Return the outcome in words."""
    transaction.unstage(paths)
    unfinished = transaction.journal()
    if not unfinished:
        return "nothing was changed"
    try:
        return put_back(unfinished)
    except (RolloutError, OSError, ValueError) as error:
        return f"and going back failed, too: {sentence(error)}"


def put_back(journal: dict[str, Any]) -> str:
    """Undo the swap of *journal*, and run the core as before. Return the outcome in words.

    RolloutError if the core is not healthy afterwards.
    """
    transaction.undo(journal)
    config = service.config_on_disk()
    if journal["touched"]:
        _run_again(journal, config)
    files.at(places.JOURNAL).unlink(missing_ok=True)
    if not journal["touched"]:
        return "nothing was changed"
    if not journal["active"]:
        return "no core ran before, and none runs now"
    return "the old set is back and serves"


def _run_again(journal: dict[str, Any], config: dict[str, Any]) -> None:
    if journal["how"] == order.HOT:
        try:
            hot_users.reconcile(config)
            health.prove(config, restarted=False)
        except RolloutError:
            service.restart()
            health.prove(config, restarted=True)
    elif journal["active"]:
        service.settle()
        if journal["how"] == order.RESTART:
            service.restart()
            _prove(config)
    else:
        service.end()


def _prove(config: dict[str, Any]) -> None:
    """Prove that the core serves *config*. A service that is not ours only has to run."""
    if config:
        health.prove(config, restarted=True)
    elif not service.Service().runs:
        raise RolloutError("the old service does not run")
