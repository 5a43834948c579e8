"""Which device and precision each runtime gets, and why. PyTorch is imported only where the answer depends on it."""

from __future__ import annotations

from maskwright.models.machine import hardware
from maskwright_protocol.language import tr

from .setup import Placement, Runtime, WantedPrecision


class Devices:
    """What the user wants, what this computer has."""

    def __init__(self, wanted: str = "auto", precision: WantedPrecision = "auto") -> None:
        """``wanted`` as in the settings. ``precision`` is for PyTorch's models."""
        self._wanted = wanted
        self._precision: WantedPrecision = precision
        self._known: dict[Runtime, Placement] = {}

    def place(self, runtime: Runtime) -> Placement:
        """Where models of that runtime run; asks the runtime itself once. Raises ``ImportError`` without it."""
        if runtime not in self._known:
            self._known[runtime] = self._ask(runtime)
        return self._known[runtime]

    def outlook(self, runtime: Runtime) -> Placement:
        """What ``place`` will probably say, without importing PyTorch, which takes seconds."""
        if runtime != "torch" or runtime in self._known:
            return self.place(runtime)
        reason = hardware.why_not_torch_on_a_card()
        if not self._wanted.startswith(("auto", "cuda", "mps")):
            reason = tr("CPU was asked for") if self._wanted == "cpu" else tr("{0} is for ONNX models", self._wanted)
        if reason is not None:
            return Placement("cpu", "fp32", reason)
        kind = "mps" if hardware.torch_build() == "metal" else "cuda:0"
        return Placement(kind, "fp32", tr("a graphics card's driver and a PyTorch for it are installed"))

    def summary(self) -> Placement:
        """For the status: the fastest device that is used, and what each runtime does."""
        onnx, torch = self.outlook("onnx"), self.outlook("torch")
        first = max(torch, onnx, key=lambda placement: placement.device != "cpu")
        if onnx.reason == torch.reason:
            return first
        told = tr(
            "ONNX models on {0}: {1}; PyTorch models on {2}: {3}",
            onnx.device,
            onnx.reason,
            torch.device,
            torch.reason,
        )
        return Placement(first.device, first.precision, told)

    def on_cpu(self, runtime: Runtime) -> Placement:
        """Where a model goes that does not fit into the graphics card."""
        precision = self.place(runtime).precision
        return Placement(
            "cpu", "bf16" if precision == "bf16" == self._precision else "fp32", tr("it did not fit elsewhere")
        )

    def _ask(self, runtime: Runtime) -> Placement:
        if runtime == "none":
            return Placement("cpu", "fp32", tr("it is made for the CPU"))
        if runtime == "onnx":
            from .onnx_providers import choose_device

            return Placement(choose_device(self._wanted)[0], "fp32", choose_device(self._wanted)[1])
        from .torch_runtime import choose_device, choose_precision

        device, reason = choose_device(self._wanted)
        return Placement(device, choose_precision(device, self._precision), reason)
