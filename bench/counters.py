"""The counters of the cores on the simulated hosts."""

from random import Random

from bench.fleet import key_name

RUN = "0123456789abcdef0123456789abcdef"


def counters(users: int) -> dict[str, int]:
    """Return the counters of a core with this many *users*. They are the same each time."""
    random = Random(users)  # noqa: S311 (bytes to sum up, not secrets)
    names = [f"user>>>{key_name(number)}" for number in range(users)]
    names += ["inbound>>>ss", "outbound>>>direct", f"outbound>>>run-{RUN}"]
    ways = ("uplink", "downlink")
    return {f"{name}>>>traffic>>>{way}": random.randrange(10**11) for name in names for way in ways}
