"""Write a release's version and SHA-256 into the inventory."""

from pathlib import Path

import tomlkit

from ops.files import locked, replace, text


def pin(folder: Path, version: str, sums: dict[str, str]) -> None:
    """Pin *version* with *sums*, by ``uname -m``, in the hosts.toml of the fleet in *folder*.

    Sums of another version are forgotten; comments and order stay.
    """
    file = folder / "inventory" / "hosts.toml"
    with locked(file.parent):
        document = tomlkit.parse(text(file))
        core = document.setdefault("core", tomlkit.table())
        if core.get("version") != version:
            core["version"] = version
            core["sha256"] = tomlkit.inline_table()
        kept = core.setdefault("sha256", tomlkit.inline_table())
        for machine, sha256 in sums.items():
            kept[machine] = sha256
        replace(file, tomlkit.dumps(document).encode())
