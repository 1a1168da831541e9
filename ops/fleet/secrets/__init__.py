"""The secrets of the fleet: read, make, encrypt, merge and rename them."""

from ops.errors import SecretsError
from ops.files import shown_path
from ops.fleet.secrets import issued, store
from ops.fleet.secrets.parse import parse
from ops.model import Fleet, Secrets

__all__ = ["load"]


def load(fleet: Fleet) -> Secrets:
    """Return the secrets of *fleet*; SecretsError or FleetError if they cannot be read.

    Single secrets can be missing in the file. Rendering a host checks that it has its own.
    """
    file = store.path(fleet)
    if file is None:
        raise SecretsError(f"{shown_path(store.plain(fleet))} is missing: {_remedy(fleet)}")
    return parse(fleet, shown_path(file), store.read(fleet))


def _remedy(fleet: Fleet) -> str:
    """Return the advice for missing secrets. issued.toml says whether they ever existed."""
    if not issued.places(fleet):
        return "`ops secrets fill` makes it"
    return "get it from a colleague, or `ops secrets recover` reads it back from the servers"
