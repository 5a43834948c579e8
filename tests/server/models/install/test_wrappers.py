"""What training scripts wrap models in leaves its mark on the names of their weights."""

from __future__ import annotations

import pytest

from maskwright.models.install.wrappers import unwrapped

NAMES = ("image_encoder.pos_embed", "decoder.module.weight", "module_list.0.bias")


@pytest.mark.parametrize(
    "wrapped",
    ["{}", "module.{}", "_orig_mod.{}", "module._orig_mod.{}", "_orig_mod.module.{}", "module.module.{}"],
)
def test_whatever_it_was_wrapped_in_the_names_are_the_models(wrapped: str) -> None:
    saved = {wrapped.format(name): number for number, name in enumerate(NAMES)}
    assert unwrapped(saved) == {name: number for number, name in enumerate(NAMES)}
    assert list(unwrapped(saved)) == list(NAMES)


def test_a_part_that_was_compiled_by_itself_is_no_other_part() -> None:
    assert unwrapped({"image_encoder._orig_mod.pos_embed": 1, "decoder.weight": 2}) == {
        "image_encoder.pos_embed": 1,
        "decoder.weight": 2,
    }


def test_an_averaged_model_counts_what_went_into_it() -> None:
    assert unwrapped({"n_averaged": 9, "module.a": 1, "module.b": 2}) == {"a": 1, "b": 2}


def test_names_stay_where_they_would_become_one() -> None:
    for saved in ({"_orig_mod.a": 1, "a": 2}, {"module.a": 1, "b": 2}, {"n_averaged": 1, "a": 2}, {}):
        assert unwrapped(saved) == saved
