"""Tiny random Grounding DINO, RT-DETR, D-FINE, RF-DETR and Florence-2 of the real classes, in the published layouts."""

from __future__ import annotations

import importlib
import string
from pathlib import Path
from typing import Any

import torch

from maskwright.models.catalogue.entries import Catalogue, Entry
from maskwright.models.roles import Detector
from maskwright.models.runtime.pool import ModelPool

tf: Any = importlib.import_module("transformers")  # its stubs know few of its parameters


def detector(folder: Path, family: str, size: int = 64, **more: Any) -> Detector:
    """Loaded by the production path."""
    known = {
        "id": folder.name, "family": family, "roles": ["detector"], "title": "Tiny", "summary": "For tests.",
        "licence": "Apache-2.0", "commercial": "yes", "source": "", "revision": "tests", "parameters": 0,
        "memory": 1 << 20, "input_size": size,
        "files": [{"name": path.name} for path in sorted(folder.iterdir())],
    }  # fmt: skip
    entry = Entry.model_validate({**known, **more})
    return ModelPool([folder.parent], known=Catalogue(model=(entry,)), threads=1).detector(folder.name)


def livelier(model: Any, scale: float = 0.3) -> Any:
    """Weights so large that the answers depend on the question."""
    torch.manual_seed(0)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.data.normal_(0, scale)
    return model.eval()


def words_tokenizer() -> Any:
    """A BERT tokenizer of letters and some words, with the special ids that Grounding DINO counts on."""
    vocabulary = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}
    letters = [*string.ascii_lowercase, *string.digits, *(f"##{letter}" for letter in string.ascii_lowercase)]
    words = ["dog", "red", "car", "cat", "person", "the", "left", "hand", "a", "of"]
    free = (i for i in range(1100) if i not in vocabulary.values())
    for word in dict.fromkeys([*letters, *words]):
        vocabulary[word] = next(free)
    for i in range(1100):
        if i not in vocabulary.values():
            vocabulary[f"[unused{i}]"] = i
    return tf.BertTokenizer(vocab=vocabulary)


def grounding_dino(folder: Path, multimodal: bool = False) -> Path:
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil

    config_class = tf.MMGroundingDinoConfig if multimodal else tf.GroundingDinoConfig
    model_class = tf.MMGroundingDinoForObjectDetection if multimodal else tf.GroundingDinoForObjectDetection
    config = config_class(
        backbone_config=tf.SwinConfig(
            image_size=64, patch_size=4, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=4,
            out_features=["stage2", "stage3", "stage4"],
        ),
        text_config=tf.BertConfig(
            vocab_size=1100, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        ),
        d_model=32, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=32, decoder_ffn_dim=32, num_queries=20, num_feature_levels=4, max_text_len=256,
    )  # fmt: skip
    model = livelier(model_class(config), 0.15)
    model.model.decoder.layer_norm.weight.data.fill_(0.15)  # else every score is 0 or 1
    model.save_pretrained(folder)
    images = GroundingDinoImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 100})
    images.save_pretrained(folder)
    tf.GroundingDinoProcessor(images, words_tokenizer()).save_pretrained(folder)
    return folder


LABELS = {0: "person", 1: "dog", 2: "traffic light", 3: "cup"}


def rt_detr(folder: Path, kind: str = "RTDetr") -> Path:
    from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil

    backbone = tf.RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 16, 32], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    shared: dict[str, Any] = {
        "backbone_config": backbone, "encoder_hidden_dim": 32, "encoder_in_channels": [16, 16, 32],
        "feat_strides": [8, 16, 32], "encoder_layers": 1, "encoder_ffn_dim": 32, "encoder_attention_heads": 2,
        "d_model": 32, "num_queries": 30, "decoder_in_channels": [32, 32, 32], "decoder_ffn_dim": 32,
        "decoder_layers": 2, "decoder_attention_heads": 2, "num_denoising": 0, "id2label": LABELS,
    }  # fmt: skip
    config = getattr(tf, f"{kind}Config")(**shared)
    livelier(getattr(tf, f"{kind}ForObjectDetection")(config), 0.15).save_pretrained(folder)
    RTDetrImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


def d_fine(folder: Path) -> Path:
    from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil

    backbone = tf.HGNetV2Config(
        embedding_size=8, stem_channels=[3, 8, 8], hidden_sizes=[8, 16, 16, 32], depths=[1, 1, 1, 1],
        stage_in_channels=[8, 8, 16, 16], stage_mid_channels=[8, 8, 8, 8], stage_out_channels=[8, 16, 16, 32],
        stage_num_blocks=[1, 1, 1, 1], stage_downsample=[False, True, True, True],
        stage_light_block=[False, False, True, True], stage_kernel_size=[3, 3, 3, 3], stage_numb_of_layers=[1, 1, 1, 1],
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = tf.DFineConfig(
        backbone_config=backbone, encoder_hidden_dim=32, encoder_in_channels=[16, 16, 32], feat_strides=[8, 16, 32],
        encoder_layers=1, encoder_ffn_dim=32, encoder_attention_heads=2, d_model=32, num_queries=30,
        decoder_in_channels=[32, 32, 32], decoder_ffn_dim=32, decoder_layers=2, decoder_attention_heads=2,
        decoder_n_points=[2, 2, 2], num_denoising=0, id2label=LABELS,
    )  # fmt: skip
    livelier(tf.DFineForObjectDetection(config), 0.15).save_pretrained(folder)
    RTDetrImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


def letters_tokenizer() -> Any:
    """Florence-2's: BART's, of single bytes, with places and marks."""
    from tokenizers.pre_tokenizers import ByteLevel

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    vocabulary = {piece: i for i, piece in enumerate([*special, *sorted(ByteLevel.alphabet())])}
    tokenizer = tf.BartTokenizer(vocab=vocabulary, merges=[], extra_special_tokens={"image_token": "<image>"})
    marks = ["<od>", "</od>", "<ocr>", "</ocr>", "<sep>", "<poly>", "</poly>", "<grounding>"]
    tokenizer.add_tokens([*marks, *(f"<loc_{i}>" for i in range(1000))])
    return tokenizer


def florence2(folder: Path, places: int = 512) -> Path:
    tokenizer = letters_tokenizer()
    config = tf.Florence2Config(
        text_config=tf.BartConfig(
            vocab_size=len(tokenizer), d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=places,
            bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2, forced_eos_token_id=2,
        ),
        vision_config=tf.Florence2VisionConfig(
            in_channels=3, depths=[1, 1, 1, 1], embed_dim=[8, 16, 16, 32], num_heads=[1, 2, 2, 4],
            num_groups=[1, 2, 2, 4], window_size=4, projection_dim=32, max_position_embeddings=50,
            max_temporal_embeddings=10,
        ),
        image_token_id=tokenizer.image_token_id,
    )  # fmt: skip
    model = livelier(tf.Florence2ForConditionalGeneration(config), 0.3)
    model.save_pretrained(folder)
    images: Any = tf.CLIPImageProcessorPil(size={"height": 64, "width": 64}, do_center_crop=False)
    images.image_seq_length = 5
    kinds = (
        "ocr", "phrase_grounding", "pure_text", "description_with_bboxes", "description_with_polygons", "polygons",
        "bboxes", "description_with_bboxes_or_polygons",
    )  # fmt: skip
    processor = tf.Florence2Processor(images, tokenizer, post_processor_config={kind: {} for kind in kinds})
    images.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def rf_detr(folder: Path, masks: bool = False) -> Path:
    from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil

    config = tf.RfDetrConfig(
        backbone_config=tf.RfDetrDinov2Config(
            hidden_size=32, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2, image_size=128, patch_size=16,
            num_windows=2, out_features=["stage1", "stage2"],
        ),
        d_model=32, decoder_ffn_dim=32, decoder_layers=2, decoder_self_attention_heads=2, intermediate_size=32,
        decoder_cross_attention_heads=2, num_queries=20, group_detr=2, decoder_n_points=2, id2label=LABELS,
    )  # fmt: skip
    cls = tf.RfDetrForInstanceSegmentation if masks else tf.RfDetrForObjectDetection
    model = livelier(cls(config), 0.15)
    for name, parameter in model.named_parameters():
        if name.endswith("class_embed.bias"):
            parameter.data.zero_()  # else nothing is found
    model.save_pretrained(folder)
    RTDetrImageProcessorPil(size={"height": 128, "width": 128}, do_normalize=True).save_pretrained(folder)
    return folder
