"""The catalogue as a page to choose from, ``docs/models.md``, and the table of detectors in ``docs/detectors.md``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from maskwright.models import families
from maskwright.models.coco import COCO
from maskwright.models.family import Compared, Family

from .entries import Absent, Catalogue, Entry

_ROLES = {
    "detector": ("Find things by name", "Words to boxes; a segmenter then selects what is in them."),
    "segmenter": ("Select what is clicked or boxed", "Points and boxes to a selection."),
    "matting": ("Cut out the subject", "A picture to soft opacity."),
    "parser": ("Tell parts of people", "Clothes, face and body parts."),
    "depth": ("Tell what is near and far", "A picture to distances, to select by them."),
}
_COLUMNS = ("model", "when to use it", "download", "memory", "parameters", "licence", "commercial", "get it")
_COMPARISON = ("family", "compared", "with", "largest difference", "measured by")
_COMMERCIAL = {"yes": "yes", "no": "**no**", "ask": "ask"}
_INTRO = """# Models

*Written by `maskwright models table --markdown` from the catalogue. Change the catalogue, not this page.*

Within a table the first installed model is taken unless you choose another; those that are built in come after what
you installed. *Get it* shows what to type; the plugins offer the same. *Commercial* tells whether the licence of the
weights allows commercial use: for "no" and "ask" you are asked to agree before the download. *Memory* is an estimate
while it runs, on a processor and, after the stroke, in half precision, as graphics cards compute; once a model was
loaded on a computer, what was measured there counts. The size of a download is an estimate where it has a ~.
"""
_BY_HAND = """## By hand, and your own

Put a folder with a model's files into one of the folders that `maskwright models path` prints: it is recognised by the
files' names and sizes, whatever the folder is called, and checked by SHA-256 before the first use. The same works with
`maskwright models pull MODEL --from FOLDER_OR_ZIP`, without a network. The folders of other programs serve as they are:
`MASKWRIGHT_MODELS` or the setting `models` may name them (`ComfyUI/models`, say), two levels deep. What lies there as a
pickle is converted by `pull`, into Maskwright's own folder, without a download.

Your own models are added with `maskwright models add`, which takes a file, or the folder of a model with several:

```sh
maskwright models add "my faces (1).pt"
maskwright models add ~/models/my-sam2 --id sketches
maskwright models add faces.onnx --family yolo --names "face, hand" --title "Faces"
```

It tells from the contents which family a model is of, what it looks at and which names it knows; what you say goes
first, and where the contents leave it open, it asks. Then the model is loaded and used once on a picture, in a process
of its own; only what works is installed, and a running server takes it at once. To correct something, add the file
again. `maskwright models remove` takes it away. The entries are in `models.toml` beside `config.toml`.

A model that stops working later is left out of the automatic choice, with a note; `maskwright models list` and
`maskwright doctor` tell why. It is tried again when its files or the packages that run it change, and whenever you name
it.

A repository on the hub without a `revision` is taken as it is at the first download, and at that commit ever after;
what the hub says of the files' contents is checked, recorded and enforced too. An entry of your own looks like this:

```toml
[[model]]
id = "my-faces"
family = "yolox"
files = [{ name = "faces.onnx" }]
sources = [{ hub = "owner/name" }]
```

The files of an entry must be those of its family; `*` stands for any text.
"""
_COMPARED = """## What was compared with the authors' code

The same weights and the same picture, through Maskwright and through the code that the authors published, in single
precision on a processor; the largest difference. Where a test is named, it measures this again each time
(`pytest -s` prints it); the others were measured once. Random weights show that the computation is the same, not how
good a trained checkpoint is.
"""
_PICKLES = """### Checkpoints that are pickles

Models are safetensors or ONNX files. A PyTorch pickle (`.pt`, `.pth`) may hold code and is never loaded. Where a
checkpoint is published as one, its entry says so, and `maskwright models pull` converts it once, right after the
download, in a process that can do nothing else: without network, and as plain tensors only. A file that is more than
tensors is refused with a sentence that tells what it would have called.

```toml
files = [
  { name = "config.json" },
  { name = "model.safetensors", pickle = { name = "a.pth", key = "net", rename = [["^module\\.", ""]], drop = "^a" } },
]
```

| in `pickle` | meaning |
|---|---|
| `name`, `size`, `sha256` | the published file; its size in bytes and digest where they are known |
| `key` | which dictionary in it holds the tensors; `state_dict`, `model` and other usual ones are found without |
| `rename` | pairs of a regular expression and its replacement, applied in turn to every tensor's name |
| `drop` | a regular expression; tensors whose published names match are left out |
| `allow` | harmless classes that this one file, known by its `sha256`, may hold besides tensors |

`maskwright models convert FILE` does the same for a file by itself.
"""


def size_text(nbytes: int) -> str:
    """Bytes for people; "?" when unknown."""
    if nbytes <= 0:
        return "?"
    mib = nbytes / 2**20
    return f"{mib / 1024:.1f} GiB" if mib >= 1000 else f"{mib:.0f} MiB" if mib >= 10 else f"{mib:.1f} MiB"


def parameters_text(count: int) -> str:
    return f"{count / 1e6:.1f} M" if count else "-"


def download_text(entry: Entry) -> str:
    """What there is to download, for people."""
    if entry.embedded:
        return "none"
    exact = all(file.published.size or file.name.endswith((".json", ".txt")) for file in entry.files)
    return ("" if exact or not entry.size else "~") + size_text(entry.size)


def memory_text(entry: Entry) -> str:
    """Memory while it runs, in full and half precision where both are known."""
    half = entry.memory_in.get("fp16")
    return size_text(entry.memory) + (f" / {size_text(half)}" if half else "")


def markdown(known: Catalogue) -> str:
    """The whole page for these entries."""
    parts = [_INTRO]
    for role, (title, what) in _ROLES.items():
        entries = known.with_role(role)
        if entries:
            parts.append(f"## {title}\n\n{what}\n")
            parts.append(_table(_COLUMNS, map(_row, entries)))
            parts.append("")
    if known.absent:
        parts.append("## Not here, and why\n\nWhat people ask for and Maskwright cannot run.\n")
        parts.append(_table(("model", "licence", "why", "take instead"), map(_absent_row, known.absent)))
        parts.append("")
    parts += [_COMPARED, _table(_COMPARISON, _comparisons(families.known().values())), ""]
    parts.append(_BY_HAND)
    parts.append(_table(("family", "models", "roles", "recipes", "files"), map(_family_row, families.known().values())))
    parts.append(f"\n{_PICKLES.rstrip()}")
    return "\n".join(parts) + "\n"


def detectors() -> str:
    """The table of what finds things by name, the preferred first."""
    finding = sorted((f for f in families.known().values() if f.roles[0] == "detector"), key=lambda f: f.rank)
    rows = []
    for family in finding:
        options = ", ".join(f"`{option.name}`" for option in family.options)
        rows.append((family.covers, _vocabulary(family), family.gives, options, family.licence))
    return _table(("family", "understands", "gives", "settings", "licence of the code"), rows)


def _vocabulary(family: Family) -> str:
    if isinstance(family.vocabulary, str):
        return {"any": "any words", "checkpoint": "a checkpoint's own names and numbers"}[family.vocabulary]
    return "COCO's 80 names and their synonyms" if family.vocabulary == COCO else ", ".join(family.vocabulary)


def _family_row(family: Family) -> tuple[str, ...]:
    recipes = dict.fromkeys(recipe.name for recipe in (*family.recipes, family.own_masks) if recipe)
    layouts = " or ".join(", ".join(f"`{name}`" for name in layout.split()) for layout in family.layouts)
    names = ", ".join(f"`{name}`" for name in recipes)
    return f"`{family.name}`", family.title, ", ".join(family.roles), names, layouts or "none"


def _comparisons(known: Iterable[Family]) -> Iterator[tuple[str, ...]]:
    """Those that were compared, then the others."""
    for family in sorted(known, key=lambda family: (not family.compared, family.title)):
        name = f"{family.title}<br>`{family.name}`"
        for one in family.compared or (Compared(what=family.runs and f"runs {family.runs}"),):
            if one.against:
                yield name, one.what, one.against, one.difference, f"`{one.test}`" if one.test else "once"
            else:
                yield name, one.what, "**not compared**", "", ""


def _row(entry: Entry) -> tuple[str, ...]:
    licence = f"[{entry.licence}]({entry.licence_url})" if entry.licence_url else entry.licence
    if entry.embedded:
        get = "built in"
    elif entry.sources:
        get = f"`maskwright models pull {entry.id}`" + (" (ask for access first)" if entry.gated else "")
    else:
        get = "by hand: " + ", ".join(f"`{file.published.name}`" for file in entry.files)
    title = f"[{entry.title}]({entry.source})" if entry.source else entry.title
    name = f"**{title}**<br>`{entry.id}`" + ("<br>recommended" if entry.recommended else "")
    sizes = download_text(entry), memory_text(entry), parameters_text(entry.parameters)
    return name, entry.summary, *sizes, licence, _COMMERCIAL[entry.commercial], get


def _absent_row(entry: Absent) -> tuple[str, ...]:
    instead = ", ".join(f"`{name}`" for name in entry.instead)
    return f"[{entry.title}]({entry.source})", entry.licence, entry.why, instead


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join([_line(columns), "|" + "---|" * len(columns), *map(_line, rows)])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
