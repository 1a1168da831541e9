"""The user and the groups of the core."""

from __future__ import annotations

import grp
import pwd

from ops.model import layout
from ops.servers.on_host.failure import RolloutError
from ops.servers.on_host.programs import demand


def make(api_users: list[str]) -> None:
    """Create the core's user and groups, and give *api_users* access to the API's socket."""
    for group in (layout.USER, layout.API_GROUP):
        if not _exists(group):
            demand(["groupadd", "--system", group])
    try:
        pwd.getpwnam(layout.USER)
    except KeyError:
        nobody = ["--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"]
        demand(["useradd", "--system", "--gid", layout.USER, *nobody, layout.USER])
    for user in api_users:
        if user not in grp.getgrnam(layout.API_GROUP).gr_mem:
            _check(user)
            demand(["usermod", "--append", "--groups", layout.API_GROUP, user])


def _exists(group: str) -> bool:
    try:
        grp.getgrnam(group)
    except KeyError:
        return False
    return True


def _check(user: str) -> None:
    try:
        pwd.getpwnam(user)
    except KeyError:
        raise RolloutError(f"ssh_user {user} has no account here") from None
