"""Compare two sets of users, and describe the difference without any secret."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from ops.model import layout
from ops.model.key import key_of
from ops.servers.on_host.users import Users


@dataclass(frozen=True, slots=True)
class Difference:
    """The users to change: inbounds by the user's name in the core."""

    added: dict[str, list[str]]
    removed: dict[str, list[str]]
    changed: dict[str, list[str]]
    """Users that get another secret."""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    @property
    def lines(self) -> Iterator[str]:
        """Yield a line for each user, with the sign of a diff: ``+``, ``-`` or ``~``."""
        for sign, named in (("+", self.added), ("-", self.removed), ("~", self.changed)):
            meaning = " (another secret)" if sign == "~" else ""
            for name, inbounds in sorted(named.items()):
                if name != layout.NOBODY:
                    yield f"{sign} key {name} on {', '.join(inbounds)}{meaning}"

    def unasked(self, rotate: frozenset[str]) -> list[str]:
        """Return the keys that get another secret but are not in *rotate*."""
        changed = {key_of(name) for name in self.changed if name != layout.NOBODY}
        return [] if "all" in rotate else sorted(changed - rotate)


def difference(present: Users, wanted: Users) -> Difference:
    """Return the changes that turn *present* into *wanted*. Both contain fingerprints."""
    apart = Difference(defaultdict(list), defaultdict(list), defaultdict(list))
    for inbound in sorted(present.keys() | wanted.keys()):
        has, wants = present.get(inbound, {}), wanted.get(inbound, {})
        for name in sorted(has.keys() | wants.keys()):
            if name not in has:
                apart.added[name].append(inbound)
            elif name not in wants:
                apart.removed[name].append(inbound)
            elif has[name] != wants[name]:
                apart.changed[name].append(inbound)
    return apart
