"""The catalogue as a page to choose from: ``docs/models.md``."""

from __future__ import annotations

from collections.abc import Sequence

from .entries import Absent, Catalogue, Entry

_ROLES = {
    "detector": ("Find things by name", "Words to boxes; a segmenter then selects what is in them."),
    "segmenter": ("Select what is clicked or boxed", "Points and boxes to a selection."),
    "matting": ("Cut out the subject", "A picture to soft opacity."),
    "parser": ("Tell parts of people", "Clothes, face and body parts."),
}
_COMMERCIAL = {"yes": "yes", "no": "**no**", "ask": "ask"}
_INTRO = """# Models

*Written by `maskwright models table --markdown` from the catalogue. Change the catalogue, not this page.*

Within a table the first installed model is taken unless you choose another. *Get it* shows what to type; the plugins
offer the same. *Commercial* tells whether the licence of the weights allows commercial use: for "no" and "ask" you are
asked to agree before the download. *Memory* is an estimate while it runs, on a processor and, after the stroke, in half
precision, as graphics cards compute; once a model was loaded on a computer, what was measured there counts. The size of
a download is an estimate where it has a ~.
"""
_END = """## By hand, and your own

Put a folder with a model's files into one of the folders that `maskwright models path` prints: it is recognised by the
files' names and sizes, whatever the folder is called, and checked by SHA-256 before the first use. The same works with
`maskwright models pull MODEL --from FOLDER_OR_ZIP`, without a network. The folders of other programs serve as they are:
`MASKWRIGHT_MODELS` or the setting `models` may name them (`ComfyUI/models`, say), two levels deep. What lies there as a
pickle is converted by `pull`, into Maskwright's own folder, without a download.

Your own models are entries in `models.toml` beside `config.toml`; `maskwright models add` writes them:

```sh
maskwright models add faces.onnx --id my-faces --family yolox --title "Faces" --input-size 640
```

A repository on the hub without a `revision` is taken as it is at the first download, and at that commit ever after;
what the hub says of the files' contents is checked, recorded and enforced too. An entry of your own looks like this:

```toml
[[model]]
id = "my-faces"
family = "yolox"
files = [{ name = "faces.onnx" }]
sources = [{ hub = "owner/name" }]
```

### Checkpoints that are pickles

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
            parts.append("| model | when to use it | download | memory | parameters | licence | commercial | get it |")
            parts.append("|---|---|---|---|---|---|---|---|")
            parts += [_row(entry) for entry in entries]
            parts.append("")
    if known.absent:
        parts.append("## Not here, and why\n\nWhat people ask for and Maskwright cannot run.\n")
        parts.append("| model | licence | why | take instead |")
        parts.append("|---|---|---|---|")
        parts += [_absent_row(entry) for entry in known.absent]
        parts.append("")
    parts.append(_END.rstrip())
    return "\n".join(parts) + "\n"


def _row(entry: Entry) -> str:
    licence = f"[{entry.licence}]({entry.licence_url})" if entry.licence_url else entry.licence
    if entry.embedded:
        get = "built in"
    elif entry.sources:
        get = f"`maskwright models pull {entry.id}`" + (" (ask for access first)" if entry.gated else "")
    else:
        get = "by hand: " + ", ".join(f"`{file.published.name}`" for file in entry.files)
    title = f"[{entry.title}]({entry.source})" if entry.source else entry.title
    name = f"**{title}**<br>`{entry.id}`" + ("<br>recommended" if entry.recommended else "")
    cells = (
        name,
        entry.summary,
        download_text(entry),
        memory_text(entry),
        parameters_text(entry.parameters),
        licence,
        _COMMERCIAL[entry.commercial],
        get,
    )
    return _cells(cells)


def _absent_row(entry: Absent) -> str:
    instead = ", ".join(f"`{name}`" for name in entry.instead)
    return _cells((f"[{entry.title}]({entry.source})", entry.licence, entry.why, instead))


def _cells(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
