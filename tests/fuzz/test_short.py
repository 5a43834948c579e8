"""Each target of the fuzzer for some seconds, with the same inputs each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from . import conversations
from .strategy import run
from .targets import TARGETS, needs, settle

INPUTS = {"sessions": 60, "codec": 2000, "frames": 1000, "handshake": 300, "entries": 300, "config": 300, "folders": 60}


@pytest.fixture(scope="module", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MASKWRIGHT_CONFIG", "MASKWRIGHT_RUNTIME_DIR", "XDG_DATA_HOME", "LOCALAPPDATA", "OMP_NUM_THREADS"):
            patch.setenv(name, "")  # so that it is put back
        settle(tmp_path_factory.mktemp("home"))
        yield
    if conversations.clients.cache_info().currsize:
        conversations.clients().close()
        conversations.clients.cache_clear()


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_documented_errors(name: str) -> None:
    if not needs(name):
        pytest.skip("PyTorch is not installed")
    told: Counter[str] = Counter()
    run(lambda data: told.update(TARGETS[name].run(data)), TARGETS[name], INPUTS.get(name, 150))
    assert len(told) > 1, f"the inputs are all alike: {told}"
    if name == "sessions":
        assert told["answer: selection"] > 10, f"too few jobs get past the queue: {told}"
