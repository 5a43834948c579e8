"""The parity vectors of upstream, through the production path; the numbers are printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.parity import birefnet
from tests.shared_data import PARITY, needs_parity

FOLDER = PARITY / "birefnet"


@needs_parity
def test_the_operations_equal_upstreams(capsys: pytest.CaptureFixture[str]) -> None:
    found = [*birefnet.deform_cases(FOLDER / "ops"), *birefnet.foreground_cases(FOLDER / "ops")]
    assert len(found) == 4
    _report(found, capsys)


@needs_parity
@pytest.mark.parametrize("size", ["lite", "large"])
def test_the_network_equals_upstreams(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = list(birefnet.model_cases(FOLDER / size))
    assert len(found) == 4
    _report(found, capsys)


def _report(found: list[birefnet.Difference], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        for one in found:
            print(f"\n  parity: {one.case}: max |diff| {one.value:.1e}", end="")
    assert all(one.passed for one in found), found


def test_a_folder_without_vectors_is_told(tmp_path: Path) -> None:
    script = Path(birefnet.__file__)
    run = subprocess.run([sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "no vectors" in run.stderr
