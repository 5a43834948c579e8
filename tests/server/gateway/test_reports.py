"""The answers to ``status`` and ``models``, made without numpy and without any library that runs models."""

from __future__ import annotations

import subprocess
import sys

from maskwright.config import Settings
from maskwright.gateway import reports
from maskwright_protocol import codec
from maskwright_protocol.messages import SERVER_MESSAGES

from .support import DirectClient

HEAVY = ("numpy", "cv2", "PIL", "onnxruntime", "torch", "transformers", "huggingface_hub")
ALL_OF_THE_GATEWAY = f"""
import sys
from maskwright.config import Settings
from maskwright.gateway import app, reports
from maskwright.models.install import download, remove
answer = reports.models(Settings(), [])
assert answer.models and answer.recipes
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_the_gateway_imports_nothing_heavy() -> None:
    run = subprocess.run([sys.executable, "-c", ALL_OF_THE_GATEWAY], capture_output=True, text=True, check=False)
    assert run.stdout == "[]\n", run.stderr


def test_status(client: DirectClient) -> None:
    status = reports.status("s", 0.0, client.services, 3)
    assert (status.id, status.sessions, status.running, status.queued) == ("s", 3, 0, 0)
    assert status.memory_bytes > 1 << 20
    assert [worker.state for worker in status.workers] == ["stopped"]


def test_models_fit_into_one_message() -> None:
    answer = reports.models(Settings(), [])
    assert any(model.embedded and model.installed for model in answer.models)
    assert answer.detector_options["yolo"]
    assert codec.decode(codec.encode_bytes(answer), SERVER_MESSAGES) == answer
