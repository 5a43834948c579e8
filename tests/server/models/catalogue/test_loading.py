"""A user's file, or a model's, that is nested without end: a sentence or nothing, not an error of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskwright.models import catalogue
from maskwright.models.catalogue.labels import installed_table

DEEP = 5000
MODEL = '[[model]]\nid = "mine"\nfamily = "yolo"\nroles = ["detector"]\nfiles = [{ name = "a.onnx", size = 3 }]\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a = " + "[" * DEEP + "]" * DEEP, "models.toml is not TOML: it is nested too deep"),
        ("a = " + "{ a = " * DEEP + "1" + " }" * DEEP, "models.toml is not TOML: it is nested too deep"),
        (MODEL + "options = " + "{ a = " * DEEP + "1" + " }" * DEEP, "models.toml is not TOML: it is nested too deep"),
        (f"[{'.'.join('a' * DEEP)}]", "tables only"),
        (MODEL.replace("id =", "id." + "a." * DEEP + "a ="), "The model number 1 in models.toml is left out: id"),
        (MODEL + "names." + "a." * DEEP + "a = 1", "names"),
    ],
)
def test_nesting_is_told(home: Path, text: str, sentence: str) -> None:
    (home / "models.toml").write_text(text, encoding="utf-8")
    loaded = catalogue.load()
    assert loaded.model == catalogue.built_in().model
    (problem,) = loaded.problems
    assert sentence in problem
    assert len(problem) < 300


def test_a_model_whose_description_is_nested_has_no_table(tmp_path: Path) -> None:
    files = [{"name": name, "size": 3} for name in ("config.json", "model.safetensors", "preprocessor_config.json")]
    table = {"id": "a", "family": "segformer", "roles": ["parser"], "input_size": 64, "files": files}
    entry = catalogue.own_entry(table)
    (tmp_path / "config.json").write_text('{"id2label": ' + "[" * 100_000 + "]" * 100_000 + "}", encoding="utf-8")
    assert installed_table(entry, tmp_path) is None
