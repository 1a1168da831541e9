"""Write a release's version and SHA-256 into the inventory."""

from pathlib import Path

import tomlkit

from ops.files import locked, read_text, write_atomically


def pin(folder: Path, version: str, sums: dict[str, str]) -> list[str]:
    """Pin *version* in the hosts.toml of the fleet in *folder*.

    Sums of another version are removed. Comments and the order of the file stay.

    Args:
        folder: the folder of the fleet.
        version: the version of the core.
        sums: the SHA-256 of the release, by ``uname -m``.

    Returns:
        The machines that had a sum before and have none now.
    """
    file = folder / "inventory" / "hosts.toml"
    with locked(file.parent):
        document = tomlkit.parse(read_text(file))
        core = document.setdefault("core", tomlkit.table())
        before = set(core.get("sha256", {}))
        if core.get("version") != version:
            core["version"] = version
            core["sha256"] = tomlkit.inline_table()
        pinned = core.setdefault("sha256", tomlkit.inline_table())
        for machine, sha256 in sums.items():
            pinned[machine] = sha256
        write_atomically(file, tomlkit.dumps(document).encode())
        return sorted(before - set(pinned))
