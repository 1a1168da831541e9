"""Record the fleet of the runs on this host, for collectors that read it for the first time."""

from __future__ import annotations

from ops.model import layout
from ops.servers.on_host import files, places


def runs() -> list[str]:
    """Return the ids of the runs with readings on this host, and of the present run."""
    names = {path.name.split(".")[0] for path in files.at(layout.READINGS).glob("[!.]*.json")}
    tail = files.read_json(places.TAIL)
    if tail:
        names.add(str(tail["outbounds"][0]["tag"])[len(layout.RUN_PREFIX) :])
    return sorted(names)


def claim(fleet: str, before: list[str]) -> None:
    """Record that rollouts of *fleet* began all runs except those in *before*.

    The first record of a fleet stays.
    """
    if not fleet or _claimed_by() == fleet:
        return
    lines = [f"fleet {fleet}", *(f"before {run}" for run in before)]
    files.write(layout.BELONGS, ("\n".join(lines) + "\n").encode())


def _claimed_by() -> str:
    try:
        first, *_ = files.at(layout.BELONGS).read_text(errors="replace").split("\n", 1)
    except OSError:
        return ""
    return first[len("fleet ") :]
