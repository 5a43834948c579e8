"""The names of parts of people in the user's language, for lists; prompts keep the models' own."""

import re

from maskwright_protocol import language
from maskwright_protocol.language import tr

from .body_parts import BodyPart

# By the name in small letters, with single blanks for everything else.
_ALL = (
    tr("accessories"), tr("all clothes"), tr("all skin"), tr("apparel"), tr("applique"), tr("arms"), tr("bag"),
    tr("bag wallet"), tr("bead"), tr("belt"), tr("bottom clothes"), tr("bow"), tr("buckle"), tr("cape"),
    tr("cardigan"), tr("clothes"), tr("clothing"), tr("coat"), tr("collar"), tr("details"), tr("dress"),
    tr("earring"), tr("ears"), tr("epaulette"), tr("eyebrows"), tr("eyeglass"), tr("eyeglasses"), tr("eyes"),
    tr("face"), tr("face neck"), tr("feet"), tr("flower"), tr("fringe"), tr("glasses"), tr("glove"), tr("hair"),
    tr("hands"), tr("hat"), tr("head"), tr("headband head covering hair accessory"), tr("hood"), tr("jacket"),
    tr("jewellery"), tr("jumpsuit"), tr("lapel"), tr("left arm"), tr("left ear"), tr("left eye"), tr("left eyebrow"),
    tr("left foot"), tr("left hand"), tr("left leg"), tr("left lower arm"), tr("left lower leg"), tr("left shoe"),
    tr("left sock"), tr("left upper arm"), tr("left upper leg"), tr("leg warmer"), tr("legs"), tr("lips"),
    tr("lower body"), tr("lower clothing"), tr("lower lip"), tr("lower teeth"), tr("mouth"), tr("neck"),
    tr("necklace"), tr("neckline"), tr("nose"), tr("pants"), tr("pocket"), tr("ribbon"), tr("right arm"),
    tr("right ear"), tr("right eye"), tr("right eyebrow"), tr("right foot"), tr("right hand"), tr("right leg"),
    tr("right lower arm"), tr("right lower leg"), tr("right shoe"), tr("right sock"), tr("right upper arm"),
    tr("right upper leg"), tr("rivet"), tr("ruffle"), tr("scarf"), tr("sequin"), tr("shirt blouse"), tr("shoe"),
    tr("shoes"), tr("shorts"), tr("skin"), tr("skirt"), tr("sleeve"), tr("sock"), tr("socks"), tr("sunglasses"),
    tr("sweater"), tr("tassel"), tr("teeth"), tr("tie"), tr("tights stockings"), tr("tongue"), tr("top clothes"),
    tr("top t shirt sweatshirt"), tr("torso"), tr("torso skin"), tr("umbrella"), tr("upper body"),
    tr("upper clothes"), tr("upper clothing"), tr("upper lip"), tr("upper teeth"), tr("vest"), tr("watch"),
    tr("whole face"), tr("whole mouth"), tr("zipper"),
)  # fmt: skip
NAMES = {str(one.template): one for one in _ALL}


def shown(part: BodyPart, label: str) -> str:
    """A row of a list: the part, and of which person or face it is where they are told apart. ``label``: the server's,
    which stands in English, and for parts of unknown names."""
    name = NAMES.get(re.sub(r"[\W_]+", " ", part.name.casefold()).strip())
    if name is None or language.current() == language.SOURCE:
        return label or part.name
    if not part.person:
        return name
    face = tr("{0} of face {1}", name, part.person)
    return face if " of face " in label else tr("{0} of person {1}", name, part.person)
