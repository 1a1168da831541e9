"""What goes wrong on a host, as sentences without numbers of the system."""

import errno
import os
from pathlib import Path

import pytest

from ops.servers.on_host.failure import RolloutError, sentence
from ops.servers.on_host.programs import run


@pytest.mark.parametrize("number", sorted(errno.errorcode))
@pytest.mark.parametrize("place", [None, "/etc/xray/config.json"])
def test_no_failure_of_the_system_is_told_by_its_number(number: int, place: str | None) -> None:
    said = sentence(OSError(number, os.strerror(number), place))
    assert "Errno" not in said
    assert str(place or "") in said


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_takes_nothing_is_told_with_its_remedy(number: int) -> None:
    assert sentence(OSError(number, "x", "/etc")).startswith("the disk ")


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"no program", b"#!/nowhere\n"])
def test_a_program_that_cannot_be_run_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    program = tmp_path / "xray"
    program.write_bytes(content)
    program.chmod(0o755)
    with pytest.raises(RolloutError, match=f"cannot run `{program}`"):
        run([str(program)])
