"""Which device and precision, and why: told without importing PyTorch where that is possible."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from maskwright.models.machine import hardware, packages
from maskwright.models.machine.hardware import Card
from maskwright.models.runtime.devices import Devices
from maskwright.models.runtime.pool import ModelPool
from tests.server.models import bare
from tests.server.models.entries import entry_of, there

torch = pytest.importorskip("torch", reason="torch is not installed")


def test_the_driver_s_table_of_cards() -> None:
    table = "NVIDIA RTX A, 2 GB, 8192, 8000, 555.10\nNVIDIA B, [N/A], 1, 555.10\n\nno table\nC, 24564, 100, 555.10\n"
    assert hardware.parse_cards(table) == (
        Card("NVIDIA RTX A, 2 GB", 8192 << 20, 8000 << 20, "555.10"),
        Card("C", 24564 << 20, 100 << 20, "555.10"),
    )
    assert hardware.memory() > 1 << 30


def test_the_build_of_pytorch_is_told_as_pytorch_tells_it() -> None:
    if sys.platform == "darwin":
        assert hardware.torch_build() == "metal"
    elif torch.version.cuda:
        assert hardware.torch_build() == f"cuda {torch.version.cuda}"
    elif torch.version.hip:
        assert hardware.torch_build() == f"hip {torch.version.hip}"
    else:
        assert hardware.torch_build() == "cpu"


@pytest.mark.skipif(sys.platform != "linux", reason="a Mac's PyTorch is always one for Metal")
@pytest.mark.parametrize(
    ("version", "driver", "device", "reason"),
    [
        ("cuda = None\nhip = None\n", True, "cpu", "built for the CPU only"),
        ("cuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n", False, "cpu", "no graphics driver"),
        ("cuda: Optional[str] = '12.8'\n", True, "cuda:0", "driver and a PyTorch for it"),
        ("cuda = None\nhip = '6.2'\n", True, "cuda:0", "driver and a PyTorch for it"),
        (None, True, "cpu", "not installed"),
    ],
)
def test_the_outlook_reads_pytorch_s_version_without_running_it(
    tmp_path: Path, version: str | None, driver: bool, device: str, reason: str
) -> None:
    if version is not None:
        (tmp_path / "torch").mkdir()
        (tmp_path / "torch" / "__init__.py").write_text("raise SystemExit('imported')", encoding="utf-8")
        (tmp_path / "torch" / "version.py").write_text(version, encoding="utf-8")
    code = (
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "import json; from maskwright.models.machine import hardware\n"
        "from maskwright.models.runtime.devices import Devices\n"
        f"hardware.has_driver = lambda: {driver}\n"
        "found = Devices().outlook('torch'); print(json.dumps([found.device, found.reason]))"
    )
    told = json.loads(bare.run(code, () if version else ("torch",)))
    assert told[0] == device
    assert reason in told[1]


def test_each_runtime_has_its_own_reason() -> None:
    devices = Devices("cpu")
    assert devices.place("torch").reason == devices.place("onnx").reason == "CPU was asked for"
    assert devices.summary().reason == "CPU was asked for"
    assert devices.place("none").reason == "it is made for the CPU"
    both = Devices("auto").summary().reason
    assert "ONNX" in both
    assert "PyTorch" in both


@pytest.mark.parametrize(
    ("wanted", "device", "given"),
    [
        ("auto", "cpu", "fp32"),
        ("bf16", "cpu", "bf16"),
        ("fp16", "cpu", "fp32"),
        ("fp32", "cuda:0", "fp32"),
        ("fp16", "cuda:0", "fp16"),
        ("auto", "mps", "fp32"),
        ("fp16", "mps", "fp16"),
    ],
)
def test_precisions(wanted, device: str, given: str) -> None:
    from maskwright.models.runtime.torch_runtime import choose_precision

    assert choose_precision(device, wanted) == given


def test_the_setting_reaches_the_families_and_the_memory_that_is_expected(tmp_path: Path) -> None:
    entry = entry_of("a", "a.safetensors", memory=100, memory_in={"bf16": 60})
    pool = ModelPool([tmp_path], "cpu", 1, known=there(tmp_path, entry), precision="bf16")
    assert (pool.setup(entry).device, pool.setup(entry).precision) == ("cpu", "bf16")
    assert pool.expected(entry) == 60
    onnx = entry_of("b", "b.onnx")
    assert pool.setup(onnx).precision == "fp32"
    assert pool.reason(["a"], "cpu") == "CPU was asked for"
    assert pool.reason([], "cpu") == "it is made for the CPU"


def test_a_choice_among_models_does_not_import_pytorch_in_vain(tmp_path: Path) -> None:
    """On a computer without a driver the slow model gives way to the quick one, at once."""
    there(tmp_path / "models", entry_of("slow", "slow.safetensors"), entry_of("quick", "quick.onnx"))
    slow = entry_of("slow", "slow.safetensors", prefers_gpu=True).model_dump_json()
    quick = entry_of("quick", "quick.onnx").model_dump_json()
    code = (
        "import sys; from pathlib import Path\n"
        "from maskwright.models.machine import hardware\n"
        "from maskwright.models.catalogue.entries import Catalogue, Entry\n"
        "from maskwright.models.runtime.pool import ModelPool\n"
        "hardware.has_driver = lambda: False\n"
        f"models = [Entry.model_validate_json(text) for text in ({slow!r}, {quick!r})]\n"
        f"pool = ModelPool([Path({str(tmp_path / 'models')!r})], 'auto', 1, known=Catalogue(model=tuple(models)))\n"
        "print(pool.best('detector'), pool.device, 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.split() == ["quick", "cpu", "False"], run.stderr


def test_without_pytorch_its_models_are_told_of_and_others_serve(tmp_path: Path) -> None:
    there(tmp_path / "models", entry_of("sam", "a.safetensors"), entry_of("quick", "quick.onnx"))
    sam = entry_of("sam", "a.safetensors", family="sam", roles=("segmenter", "detector")).model_dump_json()
    quick = entry_of("quick", "quick.onnx").model_dump_json()
    code = (
        "import json; from pathlib import Path\n"
        "from maskwright.models.catalogue.entries import Catalogue, Entry\n"
        "from maskwright.models.runtime.pool import ModelPool\n"
        "from maskwright_protocol.errors import NeedsPackage\n"
        f"models = [Entry.model_validate_json(text) for text in ({sam!r}, {quick!r})]\n"
        f"pool = ModelPool([Path({str(tmp_path / 'models')!r})], 'auto', 1, known=Catalogue(model=tuple(models)))\n"
        "told = [pool.best('detector'), pool.device_reason]\n"
        "try: pool.segmenter('sam')\n"
        "except NeedsPackage as error: told += [error.code, error.message, error.hint, error.details]\n"
        "print(json.dumps(told))"
    )
    told = json.loads(bare.run(code, ("torch", "safetensors", "transformers")))
    assert told[0] == "quick"
    assert "PyTorch is not installed" in told[1]
    assert told[2] == "needs_package"
    assert told[3] == "Sam needs the package torch, which is not installed."
    assert 'pip install "maskwright[torch]"' in told[4]
    assert told[5] == {"package": "torch"}


def test_what_to_type_for_a_package() -> None:
    assert packages.command("transformers") == 'pip install "maskwright[torch]"'
    assert packages.command("ultralytics") == 'pip install "maskwright[yolo]"'
    assert packages.command("something-else") == "pip install something-else"
    assert packages.lacking(entry_of("a", "a.safetensors")) is None
