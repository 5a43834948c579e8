"""Our detectors against their libraries' direct calls: random weights at the published sizes, both in one run.

``python -m tests.benchmarks.detectors [NAME ...]``. The two sides of a pair take turns; the quickest of each counts,
since other work on the machine only ever makes things slower.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.report import Result, table

BOUND = 1.05
_Pair = tuple[Callable[[], object], Callable[[], object]]


def photo(height: int = 768, width: int = 1024) -> np.ndarray:
    """Colours that vary slowly, with noise."""
    import cv2

    random = np.random.default_rng(5)
    coarse = cv2.resize(random.integers(0, 256, (12, 16, 3), np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(coarse + random.normal(0, 4, coarse.shape), 0, 255).astype(np.uint8)


def _detector(folder: Path, family: str, files: list[str], side: int) -> Any:
    from maskwright.models.catalogue.entries import Entry
    from maskwright.models.runtime.setup import Setup

    entry = Entry.model_validate(
        {
            "id": "bench", "family": family, "roles": ["detector"], "title": "b", "summary": "b", "licence": "b",
            "commercial": "ask", "source": "", "revision": "b", "parameters": 0, "memory": 1, "input_size": side,
            "files": [{"name": name} for name in files],
        }
    )  # fmt: skip
    return entry.facts.load(entry, folder, Setup("cpu", _threads()))


def _transformers() -> Any:
    return importlib.import_module("transformers")  # its stubs know few of its parameters


def _threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS", "2"))


def yolo(folder: Path, architecture: str) -> _Pair:
    import torch

    from maskwright.models.families.yolo.inference import ultralytics_network
    from maskwright.models.install.convert import convert

    with ultralytics_network.quiet():
        from ultralytics.data.augment import LetterBox
        from ultralytics.nn import tasks
        from ultralytics.utils import nms, ops
    torch.manual_seed(0)
    kind = tasks.SegmentationModel if architecture.endswith("-seg") else tasks.DetectionModel
    network: Any = kind(f"{architecture}.yaml", verbose=False)
    for branch in network.model[-1].cv3:
        branch[-1].bias.data.normal_(-4.5, 0.5)  # a few dozen candidates, as in a photo
    network.names = {i: f"thing {i}" for i in range(80)}
    torch.save({"model": network.half(), "ema": None, "train_args": {}}, folder / "model.pt")
    convert(folder / "model.pt", folder / "bench.safetensors")
    model = _detector(folder, "yolo", ["bench.safetensors"], 640)
    theirs, _ = tasks.load_checkpoint(str(folder / "model.pt"), fuse=True)
    image = photo()
    suppress: Any = nms.non_max_suppression

    def library() -> object:
        with torch.inference_mode():
            boxed: Any = LetterBox(640, auto=True, stride=32)(image=image[..., ::-1])
            planes = torch.from_numpy(boxed)[None].permute(0, 3, 1, 2).contiguous().flip(1).float().div_(255)
            output = theirs(planes)[0]
            protos = output[1] if isinstance(output, tuple) else None
            (rows,) = suppress(output, 0.05, 0.7, nc=80)
            masks = None
            if protos is not None:
                masks = ops.process_mask(protos[0], rows[:, 6:], rows[:, :4], planes.shape[2:], upsample=True)
            return ops.scale_boxes((planes.shape[2], planes.shape[3]), rows[:, :6], image.shape[:2]), masks

    return lambda: model.detect(image, "", min_score=0.05), library


def grounding_dino(folder: Path, kind: str = "GroundingDino") -> _Pair:
    import torch

    tf = _transformers()
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil

    from tests.server.models.families.tiny_detectors import words_tokenizer

    torch.manual_seed(0)
    network = getattr(tf, f"{kind}ForObjectDetection")
    network(getattr(tf, f"{kind}Config")()).save_pretrained(folder)
    tf.GroundingDinoProcessor(GroundingDinoImageProcessorPil(), words_tokenizer()).save_pretrained(folder)
    model = _detector(folder, "grounding_dino", ["config.json", "model.safetensors"], 1333)
    theirs = network.from_pretrained(folder).eval()
    processor = tf.GroundingDinoProcessor.from_pretrained(folder)
    image = photo()

    def library() -> object:
        with torch.inference_mode():
            inputs = processor(images=image, text=[["red car", "dog"]], return_tensors="pt")
            return processor.post_process_grounded_object_detection(
                theirs(**inputs), inputs["input_ids"], 0.3, 0.25, target_sizes=[image.shape[:2]]
            )

    return lambda: model.detect(image, "red car; dog"), library


def detr(folder: Path, kind: str, side: int, masks: bool = False, **config: Any) -> _Pair:
    """RT-DETR and its kin; with ``masks`` the instance segmentation."""
    import torch

    tf = _transformers()
    from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil

    torch.manual_seed(0)
    network = getattr(tf, f"{kind}For{'InstanceSegmentation' if masks else 'ObjectDetection'}")
    if "backbone" in config:
        config["backbone_config"] = tf.RfDetrDinov2Config(image_size=side, **config.pop("backbone"))
    network(getattr(tf, f"{kind}Config")(**config)).save_pretrained(folder)
    RTDetrImageProcessorPil(size={"height": side, "width": side}).save_pretrained(folder)
    model = _detector(folder, "rt_detr", ["config.json", "model.safetensors"], side)
    theirs = network.from_pretrained(folder).eval()
    images = RTDetrImageProcessorPil.from_pretrained(folder)
    image = photo()

    def library() -> object:
        with torch.inference_mode():
            outputs = theirs(**images(images=image, return_tensors="pt"))
            found = images.post_process_object_detection(outputs, 0.4, target_sizes=[image.shape[:2]])
            return found, outputs.pred_masks > 0 if masks else None  # both sides leave the masks at their own size

    return lambda: model.detect(image, ""), library


def florence2(folder: Path) -> _Pair:
    import torch

    tf = _transformers()

    from tests.server.models.families.tiny_detectors import letters_tokenizer

    torch.manual_seed(0)
    tokenizer = letters_tokenizer()
    text = tf.BartConfig(
        vocab_size=51289, d_model=768, encoder_layers=6, decoder_layers=6, encoder_attention_heads=12,
        decoder_attention_heads=12, encoder_ffn_dim=3072, decoder_ffn_dim=3072, forced_eos_token_id=2,
    )  # fmt: skip
    config = tf.Florence2Config(
        text_config=text,
        vision_config=tf.Florence2VisionConfig(projection_dim=768),
        image_token_id=tokenizer.image_token_id,
    )
    tf.Florence2ForConditionalGeneration(config).save_pretrained(folder)
    images = tf.CLIPImageProcessorPil(size={"height": 768, "width": 768}, do_center_crop=False)
    images.image_seq_length = 577
    tf.Florence2Processor(images, tokenizer, post_processor_config={"phrase_grounding": {}}).save_pretrained(folder)
    model = _detector(folder, "florence2", ["config.json", "model.safetensors"], 768)
    theirs = tf.Florence2ForConditionalGeneration.from_pretrained(folder).eval()
    processor = tf.Florence2Processor.from_pretrained(folder)
    image = photo()

    def library() -> object:
        task = "<CAPTION_TO_PHRASE_GROUNDING>"
        with torch.inference_mode():
            inputs = processor(images=image, text=f"{task}red car", return_tensors="pt")
            tokens = theirs.generate(**inputs, num_beams=3, do_sample=False, max_new_tokens=20)
        answer = processor.batch_decode(tokens, skip_special_tokens=False)[0]
        return processor.post_process_generation(text=answer, task=task, image_size=(1024, 768))

    return lambda: model.detect(image, "red car", options={"max_tokens": 20}), library


_RF_DETR_BACKBONE = {
    "hidden_size": 384, "num_attention_heads": 6, "patch_size": 12, "num_windows": 2,
    "out_features": ["stage3", "stage6", "stage9", "stage12"],
}  # fmt: skip
BENCHMARKS: dict[str, tuple[Callable[[Path], _Pair], int]] = {
    "YOLO11n, 640": (lambda folder: yolo(folder, "yolo11n"), 20),
    "YOLO11n-seg, 640": (lambda folder: yolo(folder, "yolo11n-seg"), 20),
    "RT-DETR R50, 640": (lambda folder: detr(folder, "RTDetr", 640), 6),
    "RT-DETRv2 R50, 640": (lambda folder: detr(folder, "RTDetrV2", 640), 6),
    "D-FINE large, 640": (lambda folder: detr(folder, "DFine", 640), 6),
    "RF-DETR base, 560": (lambda folder: detr(folder, "RfDetr", 560), 6),
    "RF-DETR Seg medium, 432": (
        lambda folder: detr(folder, "RfDetr", 432, masks=True, backbone=_RF_DETR_BACKBONE, num_queries=200),
        6,
    ),
    "Grounding DINO tiny, 800x1066": (grounding_dino, 3),
    "MM Grounding DINO tiny, 800x1066": (lambda folder: grounding_dino(folder, "MMGroundingDino"), 3),
    "Florence-2 base, 768, 20 tokens": (florence2, 3),
}


def run(wanted: list[str] | None = None) -> list[Result]:
    """Those whose names hold one of ``wanted``, or all."""
    import torch

    torch.set_num_threads(_threads())
    results = []
    for name, (make, repetitions) in BENCHMARKS.items():
        if wanted and not any(word.lower() in name.lower() for word in wanted):
            continue
        if name.startswith("YOLO") and importlib.util.find_spec("ultralytics") is None:
            continue
        with tempfile.TemporaryDirectory() as place:
            pair = make(Path(place))
            for side in pair:
                side()  # caches and allocators
            times: tuple[list[float], list[float]] = ([], [])
            for repetition in range(repetitions):
                for which in (0, 1) if repetition % 2 else (1, 0):
                    start = time.perf_counter()
                    pair[which]()
                    times[which].append((time.perf_counter() - start) * 1e3)
        ours, theirs = min(times[0]), min(times[1])
        results.append(Result(f"{name}, library {theirs:.0f} ms", ours, "ms", ours / theirs, BOUND))
        print(table(results[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    return results


if __name__ == "__main__":
    found = run(sys.argv[1:])
    print(table(found))
    sys.exit(0 if all(result.kept for result in found) else 1)
