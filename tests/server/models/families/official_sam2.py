"""Run in a process of its own: the authors' package for SAM 2 on random weights; its answers go to a file.

The package needs torchvision for three transforms of its predictor, which are not used here; a broken torchvision would
spoil transformers, so that a stand-in has to stay away from the tests' own process.
"""

from __future__ import annotations

import sys
import types

import torch
from safetensors.torch import save_file

SIDE = 256


def main(weights_file: str, answers_file: str) -> None:
    torchvision, transforms = types.ModuleType("torchvision"), types.ModuleType("torchvision.transforms")
    transforms.Normalize = transforms.Resize = transforms.ToTensor = None  # type: ignore[attr-defined]
    sys.modules.update({"torchvision": torchvision, "torchvision.transforms": transforms})
    from sam2.build_sam import build_sam2

    torch.set_num_threads(1)
    small = [f"++model.image_size={SIDE}"]
    model = build_sam2("configs/sam2.1/sam2.1_hiera_t.yaml", device="cpu", hydra_overrides_extra=small)
    generator = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        with torch.no_grad():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)
            if "norm" in name and name.endswith("weight"):
                parameter.add_(1)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, weights_file)
    pixels = torch.randn(1, 3, SIDE, SIDE, generator=generator)
    before = torch.randn(1, 1, SIDE // 4, SIDE // 4, generator=generator)
    with torch.inference_mode():
        # As its image predictor does, whose sizes are fixed.
        backbone = model.forward_image(pixels)
        _, features, _, sizes = model._prepare_backbone_features(backbone)
        features[-1] = features[-1] + model.no_mem_embed
        maps = [f.permute(1, 2, 0).view(1, -1, *size) for f, size in zip(features, sizes, strict=True)]
        answers = {"pixels": pixels, "before": before, "quarter": maps[0], "half": maps[1], "image": maps[2]}
        box = torch.tensor([[[40.0, 30.0], [180.0, 200.0]]]), torch.tensor([[2, 3]])
        click = torch.tensor([[[120.0, 90.0]]]), torch.tensor([[1]])
        both = torch.cat([box[0], click[0]], 1), torch.cat([box[1], click[1]], 1)
        for name, points, mask in (("click", click, None), ("box", box, None), ("all", both, before)):
            sparse, dense = model.sam_prompt_encoder(points=points, boxes=None, masks=mask)
            for kind in (True, False):
                masks, scores, _, _ = model.sam_mask_decoder(
                    image_embeddings=maps[2],
                    image_pe=model.sam_prompt_encoder.get_dense_pe(),
                    sparse_prompt_embeddings=sparse,
                    dense_prompt_embeddings=dense,
                    multimask_output=kind,
                    repeat_image=False,
                    high_res_features=maps[:2],
                )
                answers[f"{name}.{'three' if kind else 'one'}"] = masks[0]
                answers[f"{name}.{'three' if kind else 'one'}.scores"] = scores[0]
    save_file({name: tensor.contiguous().clone() for name, tensor in answers.items()}, answers_file)


if __name__ == "__main__":
    main(*sys.argv[1:])
