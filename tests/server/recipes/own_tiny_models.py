"""Tiny models as a user's own: what a real server takes whose catalogue knows the sizes of the published files."""

from __future__ import annotations

import json
from pathlib import Path

from maskwright.models import catalogue
from tests.server.models import onnx_files
from tests.server.models.families import tiny_owlv2

from . import tiny_models as tiny

# Those whose published sizes the catalogue knows are the user's own here.
BIREFNET = """
[[model]]
id = "tiny-birefnet"
family = "birefnet"
input_size = 64
files = [{ name = "tiny.safetensors" }]
"""
BEN2 = """
[[model]]
id = "tiny-ben2"
family = "ben2"
input_size = 32
files = [{ name = "BEN2_Base.onnx" }]
"""
RENAMED = {
    "grounding-dino-tiny": "tiny-dino",
    "owlv2-base": "tiny-owlv2",
    "sam2.1-tiny": "tiny-sam2",
    "sam3": "tiny-sam3",
    "sapiens2-matting-1b": "tiny-sapiens2",
}
SIDES = {"owlv2-base": tiny_owlv2.SIDE}


def install(base: Path) -> Path:
    """Make them in ``base/models``, and their entries in ``base/models.toml``; the folder of models."""
    models = tiny.make(base / "models")
    (models / tiny.MATTING / "model.safetensors").rename(models / tiny.MATTING / "tiny.safetensors")
    (models / tiny.MATTING).rename(models / "tiny-birefnet")
    (models / "tiny-ben2").mkdir()
    everywhere = onnx_files.answering({"input.1": 4}, ["mask"], (1, 1, 32, 32))
    (models / "tiny-ben2" / "BEN2_Base.onnx").write_bytes(everywhere)
    entries = BIREFNET + BEN2
    for name, own in RENAMED.items():
        entry = catalogue.built_in().get(name)
        (models / name).rename(models / own)
        files = ", ".join(f'{{ name = "{path.name}" }}' for path in sorted((models / own).iterdir()))
        side = SIDES.get(name, entry.input_size)
        entries += f'[[model]]\nid = "{own}"\nfamily = "{entry.family}"\ninput_size = {side}\n'
        entries += f"roles = {json.dumps(entry.roles)}\nfiles = [{files}]\n"
    (base / "models.toml").write_text(entries, encoding="utf-8")
    return models
