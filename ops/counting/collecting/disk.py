"""The last readings on a host's disk: list the files, fetch them, parse them. No ssh here.

A file is named ``RUN.KIND.json``. It holds the printout of the core's own ``xray api``, the time
of the reading, and the run.
"""

import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ops.counting.xray_api.counters import reading_of
from ops.counting.xray_api.printed import pairs_of
from ops.errors import ApiError
from ops.model import Reading
from ops.model.layout import READINGS
from ops.model.untrusted import count_of, json_of, object_of, shortened, text_of
from ops.model.visible import MOST, visible

LIST_FILES = f"""\
if [ -d {READINGS} ]; then
  find {READINGS} -maxdepth 1 -type f -name '[!.]*.json' -printf 'file %s %T@ %f\\n'
fi
"""
"""Lines for a root shell on the host. They print one line for each last reading."""
STOP = "last"
"""The kind of file that the stop hook of the core's service writes: that stop was planned."""
LARGEST_FILE = 16 << 20
"""Bytes; a larger file is not fetched. A reading of 50,000 users has 6 MiB."""
MOST_FILES = 5_000
"""Files on one host. A host writes two for each start of its core, and deletes them after 90
days."""
_NAMED = 5
"""Bad files that the warnings name; the others are only counted."""
_NAME = re.compile(r"([0-9A-Za-z-]{1,64})\.(last|minute|begun)\.json")
_MTIME = re.compile(r"-?\d{1,15}(\.\d{1,12})?")
_LARGEST_SIZE = 2**60
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Bounds of a believable time. Every database can store the times between them."""


@dataclass(frozen=True, slots=True)
class ReadingFile:
    """One last reading in the listing of a host."""

    name: str
    run: str
    size: int
    """Bytes."""
    mtime: str
    """Seconds since 1970 by the host's clock; used only to sort the files of one host."""


@dataclass(slots=True)
class LastReadings:
    """The last readings of one host, added file by file."""

    host: str
    readings: list[Reading] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    """Runs whose last reading was taken at a planned stop."""
    damaged: set[str] = field(default_factory=set)
    """Runs with a file that is not a valid reading."""
    rejected: dict[str, str] = field(default_factory=dict)
    """Names of invalid files, each with the reason."""
    vanished: list[str] = field(default_factory=list)
    """Names of files that were listed, and could not be read a moment later."""

    def add(self, file: ReadingFile, content: str) -> None:
        """Parse *content* of *file*: add its reading, or reject the file."""
        try:
            reading, at_planned_stop = parse_last_reading(content, self.host)
        except ValueError as error:
            self.reject(file, visible(str(error), MOST))
            return
        if reading.run != file.run:
            self.reject(file, f"it is of the run {reading.run}")
            return
        self.readings.append(reading)
        if at_planned_stop:
            self.stopped.add(reading.run)

    def reject(self, file: ReadingFile, reason: str) -> None:
        """Record that *file* is not a valid reading."""
        self.rejected[file.name] = reason
        self.damaged.add(file.run)

    def warnings(self) -> list[str]:
        """Return a few lines about the files that were rejected or vanished."""
        rejected = [
            f"{name} on its disk is left out: {reason}" for name, reason in self.rejected.items()
        ]
        more = len(rejected) - _NAMED
        rest = [f"{more} more files on its disk are left out"] if more > 0 else []
        vanished = [f"{name} on its disk could not be read" for name in self.vanished[:_NAMED]]
        return [*rejected[:_NAMED], *rest, *vanished]


def reading_files(lines: Sequence[Sequence[str]]) -> tuple[ReadingFile, ...]:
    """Return the files in *lines*, the output of LIST_FILES split into words, oldest first.

    Lines of another form are ignored. Raise ValueError for more than MOST_FILES files.
    """
    listed = [line[1:] for line in lines if line[0] == "file"]
    if len(listed) > MOST_FILES:
        raise ValueError(
            f"it has {len(listed)} last readings, more than {MOST_FILES}: move some of"
            f" {READINGS} away"
        )
    files = []
    for words in listed:
        match = _NAME.fullmatch(words[-1]) if len(words) == 3 else None
        if match and _MTIME.fullmatch(words[1]):
            size = count_of(words[0], _LARGEST_SIZE)
            files.append(ReadingFile(name=words[2], run=match[1], size=size, mtime=words[1]))
    return tuple(sorted(files, key=lambda file: float(file.mtime)))


def fetch_command(files: Sequence[ReadingFile]) -> str:
    """Return the command that prints *files*. A file that was deleted meanwhile prints nothing."""
    names = " ".join(shlex.quote(file.name) for file in files)
    show = f'echo "= $f"; head -c {LARGEST_FILE} -- "$f" 2>&-; echo'
    return f"cd {READINGS} && for f in {names}; do {show}; done; :"


def fetched_files(printed: str) -> Iterator[tuple[str, str]]:
    """Yield (name, content) for each file in *printed*, the output of :func:`fetch_command`.

    Empty files are left out.
    """
    files: list[tuple[str, list[str]]] = []
    for line in printed.split("\n"):
        if line.startswith("= "):
            files.append((line[2:], []))
        elif files:
            files[-1][1].append(line)
    yield from ((name, text) for name, lines in files if (text := "\n".join(lines).strip()))


def batches(files: Collection[ReadingFile], most: int = 8 << 20) -> Iterator[list[ReadingFile]]:
    """Yield *files* in batches of about *most* bytes, and of at most 500 names.

    One batch is one command: the limits bound its output and its length.
    """
    batch: list[ReadingFile] = []
    size = 0
    for file in files:
        if batch and (size + file.size > most or len(batch) >= 500):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


def parse_last_reading(content: str, host: str) -> tuple[Reading, bool]:
    """Return the reading in *content*, and whether it was taken at a planned stop of its run.

    Raise ValueError if *content* is incomplete, or if its counters are of another run than its
    field ``run``.
    """
    try:
        fields = object_of(json_of(content))
        read_at = _time_of(fields["read_at"])
        reading = reading_of(
            pairs_of(fields["statsquery"]),
            host=host,
            way="exec",
            read_at=read_at,
            counting_since=_time_of(fields["counting_since"] or fields["read_at"]),
        )
    except KeyError as error:
        raise ValueError(f"it is no reading: it has no field {error}") from None
    except (ValueError, ApiError) as error:
        reason = error.reason if isinstance(error, ApiError) else error
        raise ValueError(f"it is no reading: {reason}") from None
    if not reading.run or reading.run != fields.get("run"):
        raise ValueError("its counters are not of the run that it names")
    return replace(reading, way="disk"), fields.get("kind") == STOP


def _time_of(written: object) -> datetime:
    time = datetime.fromisoformat(text_of(written, 40))
    if time.tzinfo is None:
        raise ValueError(f"{shortened(written)} has no time zone")
    if not _EARLIEST <= time <= _LATEST:
        raise ValueError(f"{shortened(written)} is not between the years 2000 and 2200")
    return time.astimezone(UTC)
