"""Write a release's version and SHA-256 into the inventory."""

from pathlib import Path

import tomlkit

from ops.files import locked, read_text, write_atomically


def pin(folder: Path, version: str, sums: dict[str, str]) -> list[str]:
    """Pin *version* with *sums*, by ``uname -m``, in the hosts.toml of the fleet in *folder*.

    Sums of another version are forgotten; comments and order stay. Return the machines that had
    a sum and have none now.
    """
    file = folder / "inventory" / "hosts.toml"
    with locked(file.parent):
        document = tomlkit.parse(read_text(file))
        core = document.setdefault("core", tomlkit.table())
        before = set(core.get("sha256", {}))
        if core.get("version") != version:
            core["version"] = version
            core["sha256"] = tomlkit.inline_table()
        kept = core.setdefault("sha256", tomlkit.inline_table())
        for machine, sha256 in sums.items():
            kept[machine] = sha256
        write_atomically(file, tomlkit.dumps(document).encode())
        return sorted(before - set(kept))
