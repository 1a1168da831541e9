"""The fleet that the runs of this host belong to, for collectors that have never read it."""

from __future__ import annotations

from ops.model import layout
from ops.servers.on_host import files, places


def runs() -> list[str]:
    """Return the runs that are known here: from their readings, and the one that runs now."""
    names = {path.name.split(".")[0] for path in files.at(layout.READINGS).glob("[!.]*.json")}
    tail = files.read_json(places.TAIL)
    if tail:
        names.add(str(tail["outbounds"][0]["tag"])[len(layout.RUN_PREFIX) :])
    return sorted(names)


def claim(fleet: str, before: list[str]) -> None:
    """Write that all runs but those of *before* were begun by rollouts of *fleet*.

    Where the same fleet has said so already, its first word holds.
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
