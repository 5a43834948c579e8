"""The label tables, the words for parts, and the check against what a checkpoint says of itself."""

from __future__ import annotations

import json

import pytest

from maskwright.models import catalogue
from maskwright.models.catalogue import labels
from maskwright.models.catalogue.labels import BODY, CLOTHES, FACE, FASHION, SIMPLE, TABLES
from maskwright_protocol.errors import ModelBroken

PUBLISHED_FACE = [
    "background", "skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "l_ear", "r_ear", "mouth", "u_lip",
    "l_lip", "hair", "hat", "ear_r", "neck_l", "neck", "cloth",
]  # fmt: skip


def test_the_tables_have_the_published_labels():
    assert [len(t.labels) for t in (CLOTHES, FACE, FASHION, BODY, SIMPLE)] == [18, 19, 47, 20, 3]
    assert (CLOTHES.labels[4], CLOTHES.labels[9], CLOTHES.labels[17]) == ("Upper-clothes", "Left-shoe", "Scarf")
    assert (FACE.labels[3], FACE.labels[13], FACE.labels[18]) == ("Eyeglasses", "Hair", "Clothing")
    assert (FASHION.labels[1], FASHION.labels[24], FASHION.labels[46]) == ("shirt, blouse", "shoe", "tassel")
    known = {2: "Hair", 4: "Glasses", 5: "Top-clothes", 9: "Bottom-clothes", 10: "Torso-skin", 13: "Face"}
    known |= {14: "Left-arm", 15: "Right-arm", 16: "Left-leg", 17: "Right-leg", 18: "Left-foot", 19: "Right-foot"}
    assert {number: BODY.labels[number] for number in known} == known


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.name)
def test_every_label_and_group_can_be_asked_for(table):
    assert len(set(table.labels)) == len(table.labels)
    for number, label in enumerate(table.labels):
        part = labels.find(table, label)
        assert part is not None
        assert part.classes == (number,)
    for group, members in table.groups.items():
        part = labels.find(table, group)
        assert part is not None
        assert [table.labels[number] for number in part.classes] == list(members)
    assert len(labels.every_part(table)) == len(table.labels) - (table is not SIMPLE)


@pytest.mark.parametrize(
    ("table", "words", "found"),
    [
        (CLOTHES, "the hair", ["Hair"]),
        (CLOTHES, "skirts", ["Skirt"]),
        (CLOTHES, "her shirt", ["Upper-clothes"]),
        (CLOTHES, "shoes", ["Left-shoe", "Right-shoe"]),
        (CLOTHES, "left_shoe", ["Left-shoe"]),
        (CLOTHES, "shoe on the left", ["Left-shoe", "Right-shoe"]),
        (CLOTHES, "hair of the woman", ["Hair"]),
        (FACE, "eyes", ["Left-eye", "Right-eye"]),
        (FACE, "glasses", ["Eyeglasses"]),
        (FACE, "nose", ["Nose"]),
        (FASHION, "sweatshirt", ["top, t-shirt, sweatshirt"]),
        (FASHION, "sleeves", ["sleeve"]),
        (BODY, "trousers", ["Bottom-clothes"]),
        (BODY, "sunglasses", ["Glasses"]),
        (SIMPLE, "clothing", ["clothes"]),
        (SIMPLE, "nose", None),
        (CLOTHES, "dog", None),
        (CLOTHES, "hair on the left", None),
    ],
)
def test_words_for_parts(table, words, found):
    part = labels.find(table, words)
    assert (part and [table.labels[number] for number in part.classes]) == found


def found(table: labels.LabelTable, words: str) -> labels.Part:
    part = labels.find(table, words)
    assert part is not None
    return part


def test_the_word_for_a_group_and_the_label_of_the_same_name():
    assert found(FACE, "skin").name == "all skin"
    assert found(FACE, "Skin").name == "skin"
    assert set(found(FACE, "face").classes) > set(found(FACE, "Mouth").classes)


def test_a_part_may_name_its_person():
    assert found(CLOTHES, "Hair of person 2").person == 2
    assert found(FACE, "left eye of face 11").person == 11
    assert found(CLOTHES, "shoe on the left of person 3").seen == "left"
    assert found(CLOTHES, "hair").person == 0
    assert labels.find(CLOTHES, "nose of person 1") is None
    assert labels.find(CLOTHES, "hair of person 0") is None


def test_a_checkpoints_own_names_are_compared():
    assert labels.disagreement(FACE, PUBLISHED_FACE) == ""
    assert labels.disagreement(FACE, [f"LABEL_{number}" for number in range(19)]) == ""
    assert labels.disagreement(BODY, ["background", *BODY.labels[1:]]) == ""
    assert "18" in labels.disagreement(FACE, list(CLOTHES.labels))
    swapped = list(PUBLISHED_FACE)
    swapped[4], swapped[5] = swapped[5], swapped[4]
    assert "'r_eye' instead of 'Left-eye'" in labels.disagreement(FACE, swapped)


def test_labels_of_the_users_own_models(tmp_path):
    entry = catalogue.built_in().get("segformer-clothes").model_copy(update={"options": {}})
    assert labels.installed_table(entry, None) is None
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {"0": "background", "1": "wing", "2": "tail"}}))
    table = labels.installed_table(entry, tmp_path)
    assert table is not None
    assert table.parts == ("wing", "tail")
    (tmp_path / "config.json").write_text(json.dumps({"id2label": dict(enumerate(PUBLISHED_FACE))}))
    assert labels.installed_table(entry, tmp_path) is FACE
    listed = entry.model_copy(update={"options": {"labels": ["sky", "sea"], "of": "face"}})
    assert labels.of_entry(listed).of == "face"
    with pytest.raises(ModelBroken):
        labels.of_entry(entry.model_copy(update={"options": {"labels": "cloths"}}))
