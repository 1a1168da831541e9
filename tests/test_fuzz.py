"""A host that answers anything at all: no traceback, no wrong figure, bounded memory.

``OPS_FUZZ=100000`` reads that many answers, ``OPS_FUZZ_FIRST`` begins at another case.
"""

import os
from pathlib import Path

import pytest

from tests.fuzzing.setting import laid_out
from tests.fuzzing.trial import ANSWERS_A_CASE, CHAPTER, Trial

CASES = int(os.environ.get("OPS_FUZZ", "2000")) // ANSWERS_A_CASE
FIRST = int(os.environ.get("OPS_FUZZ_FIRST", "0"))


def test_a_host_that_answers_anything_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    outcome = Trial(laid_out(tmp_path / "fleet"), tmp_path).run(FIRST, CASES)
    for what in ("collect", "hosts", "compare", "recover", "diff --servers"):
        kinds = [kind for kind in outcome.answers if kind.startswith(f"{what}: ")]
        assert len(kinds) > 1, f"{what} was never believed, or never refused: it proves nothing"
    assert outcome.booked["booked"] > CASES / 2
    assert outcome.bytes
    if CASES > 10 * CHAPTER:
        assert outcome.grown < 100 << 10
