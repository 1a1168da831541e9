"""Replace files that a config names and this machine lacks, so that the core can test the rest.

Certificates and keys become a throwaway pair, which the core makes. Data files get entries for the
names that the config looks up. Log files are removed from the config. Nothing else is changed.
"""

import os
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from ops.config.core.geodata import data_file
from ops.config.lint.geo import GeoName, geo_names
from ops.errors import CoreError

_FILES = {"certificatefile": "placeholder.crt", "keyfile": "placeholder.key"}
_LOCATIONS = ("xray_location_", "xray.location.")
"""Beginnings of variables that name folders of the server."""


@dataclass
class Placeholders:
    """Makes placeholders in *folder*; *missing* lists the files that they replace."""

    folder: Path
    program: Path
    data: Path | None
    """The folder of the real data files; None if they are not on this machine."""
    missing: set[str] = field(default_factory=set)

    def prepared(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return *config* changed so that it can be tested on this machine."""
        made: dict[str, Any] = self._replaced(config)
        for name, value in made.items():
            if name.lower() == "log" and isinstance(value, dict):
                made[name] = {k: v for k, v in value.items() if not _is_log_file(k, v)}
            if name.lower() == "env" and isinstance(value, dict):
                made[name] = {
                    k: v for k, v in value.items() if not k.lower().startswith(_LOCATIONS)
                }
        return made

    def assets(self, configs: Iterable[dict[str, Any]]) -> Path | None:
        """Return a folder with the data files that *configs* name, real ones if possible."""
        names = [name for config in configs for name in geo_names(config)]
        files = {name.file for name in names}
        here = {file for file in files if self.data and (self.data / file).is_file()}
        if files == here:
            return self.data
        self.missing |= {f"the data file {file}" for file in files - here}
        return self._data_folder(names, here)

    def _replaced(self, value: Any) -> Any:
        if isinstance(value, dict):
            # Without this, the core as root makes a network device for WireGuard, even in a test.
            no_device = {"noKernelTun": True} if "secretKey" in value else {}
            return {name: self._entry(name, entry) for name, entry in value.items()} | no_device
        return [self._replaced(entry) for entry in value] if isinstance(value, list) else value

    def _entry(self, name: str, value: Any) -> Any:
        placeholder = _FILES.get(name.lower())
        if placeholder is None or not isinstance(value, str) or not value:
            return self._replaced(value)
        if os.access(value, os.R_OK):
            return str(Path(value).resolve())  # the core runs in another folder
        self.missing.add(
            f"the certificate {value}" if "cert" in name.lower() else f"the key {value}"
        )
        return str(self._certificate() / placeholder)

    def _certificate(self) -> Path:
        place = self.folder / "placeholder"
        if not place.with_suffix(".crt").exists():
            words: list[str | Path] = [
                self.program,
                "tls",
                "cert",
                "-domain",
                "placeholder.invalid",
                "-file",
                place,
            ]
            try:
                subprocess.run(words, check=True, capture_output=True, timeout=20)
            except (OSError, subprocess.SubprocessError):
                raise CoreError(f"{self.program} made no certificate to test with") from None
        return self.folder

    def _data_folder(self, names: list[GeoName], here: set[str]) -> Path:
        texts = "\n".join(sorted({f"{name.file} {name.code} {name.is_address}" for name in names}))
        place = self.folder / sha256(texts.encode()).hexdigest()[:16]
        if not place.exists():
            place.mkdir()
            for file, content in _made(names):
                if file in here and self.data:
                    (place / Path(file).name).symlink_to(self.data / file)
                else:
                    (place / Path(file).name).write_bytes(content)
        return place


def _is_log_file(name: str, value: object) -> bool:
    return name.lower() in ("access", "error") and isinstance(value, str)


def _made(names: list[GeoName]) -> Iterator[tuple[str, bytes]]:
    for file in sorted({name.file for name in names}):
        mine = [name for name in names if name.file == file]
        yield file, data_file(sorted({name.code for name in mine}), mine[0].is_address)
