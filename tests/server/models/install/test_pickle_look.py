"""The first wall before a pickle: it sees what every reader would see, in time and memory by the file's size."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from maskwright.models.install.pickle_look import MAX_OPCODES, MAX_PICKLE, PickleRefused, is_whole_model

from .pickles import reduce, saved, touching, weights

torch = pytest.importorskip("torch", reason="torch is not installed: pickles cannot be read here")

EVIL = b"cos\nsystem\n(S'true'\ntR."
PLAIN = b"N."


def refused(data: bytes) -> PickleRefused:
    with pytest.raises(PickleRefused) as caught:
        is_whole_model(io.BytesIO(data), ())
    return caught.value


def zipped(members: dict[str, bytes], comment: bytes = b"", method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.comment = comment
    return buffer.getvalue()


GOOD = zipped({"archive/data.pkl": PLAIN, "archive/version": b"3\n"})
BAD = zipped({"archive/data.pkl": EVIL, "archive/version": b"3\n"})


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("pickle")
        info.size = len(EVIL)
        archive.addfile(info, io.BytesIO(EVIL))
    return buffer.getvalue()


def old(*pickles: bytes) -> bytes:
    """The five pickles of an old checkpoint, the third and later ones given."""
    magic, version = pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(1001, 2)
    return b"".join((magic, version, *pickles)) + bytes(100)


@pytest.mark.parametrize("content", [{}, {"state_dict": 1}], ids=["weights", "state"])
@pytest.mark.parametrize("new", [True, False], ids=["zip", "old"])
def test_good_checkpoints_pass(content: dict, new: bool) -> None:
    data = saved({**weights(), **content}, _use_new_zipfile_serialization=new)
    assert is_whole_model(io.BytesIO(data), ()) is False


POLYGLOTS: dict[str, bytes] = {
    "pickle before a zip": EVIL + GOOD,
    "harmless pickle before a zip": PLAIN + GOOD,
    "tar before a zip": tarred() + GOOD,
    "old checkpoint before a zip": saved(weights(), _use_new_zipfile_serialization=False) + GOOD,
    # One reader goes by the offset that the end of the file gives, another by where the table ends.
    "zip before a zip": BAD + GOOD,
    "zip with a tail": GOOD + b"tail",
    "zip in the comment of a zip": zipped({"archive/data.pkl": PLAIN}, comment=BAD),
    "zip that only looks like one": b"PK\x03\x04" + GOOD,
    "the same name twice": zipped({"archive/data.pkl": PLAIN, "archive/DATA.PKL": EVIL}),
    "a tar": tarred(),
}


@pytest.mark.parametrize("name", POLYGLOTS)
def test_what_is_two_files_at_once(name: str) -> None:
    refused(POLYGLOTS[name])


def test_nothing_hides_from_the_look(tmp_path: Path) -> None:
    """What the list of opcodes stumbles over, or counts otherwise, is not passed over."""
    # pickletools takes no 0x10 for a number, readers do.
    assert "os.system" in refused(old(PLAIN, EVIL, PLAIN)).calls
    refused(old(PLAIN, b"I0x10\n0" + EVIL, PLAIN))
    # Another number on top in the first pickle, so that it does not look like an old checkpoint to a careless look.
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    assert "os.system" in refused(magic[:-1] + b"N0." + PLAIN * 2 + EVIL).calls
    # The memo's numbers: written twice to one place, the next free one is number 1.
    word = b"\x8c\x01a0" + b"\x8c\x01aq\x000\x8c\x01aq\x000"
    names = b"\x8c\x0bcollections\x940\x8c\x0bOrderedDict\x940\x8c\x02os\x940\x8c\x06system\x940"
    hidden = b"\x80\x04" + word + names + b"h\x03h\x04\x93)R."
    assert refused(zipped({"a/data.pkl": hidden})).calls == ("os.system",)


MANY = 20_000


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (lambda i: b"cm%d\nn\n0" % i, "too long"),
        (lambda i: b"\x80\x04\x8c\x01a\x94h\x00", "no checkpoint"),
        (lambda i: b"\x8c\x01a", "no checkpoint"),
        (lambda i: b"cos\nsystem\n0", "run code"),
    ],
    ids=["names", "memo", "strings", "one name"],
)
def test_time_grows_with_the_size_and_no_faster(part: Callable[[int], bytes], sentence: str) -> None:
    def seconds(count: int) -> float:
        data = b"".join(part(i) for i in range(count))
        start = time.process_time()
        assert sentence in str(refused(data))
        return time.process_time() - start

    seconds(MANY // 10)
    assert seconds(8 * MANY) < 5
    assert seconds(8 * MANY) < 8 * 2 * seconds(MANY) + 0.5


def test_a_small_file_takes_little_memory(tmp_path: Path) -> None:
    """Long tables of contents pack to next to nothing."""
    program = (
        "import resource, sys; from maskwright.models.install import pickle_look\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: pickle_look.is_whole_model(open(sys.argv[1], 'rb'), ())\n"
        "except pickle_look.PickleRefused as error: print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    packed = zipfile.ZIP_DEFLATED
    bombs = {
        "longer than allowed": zipped({"a/data.pkl": b"N" * (MAX_PICKLE + 1)}, method=packed),
        "many steps": zipped({"a/data.pkl": b"]" * (MAX_OPCODES + 1)}, method=packed),
        "many strings": zipped({"a/data.pkl": b"\x8c\x01a" * (MAX_OPCODES + 1)}, method=packed),
    }
    for name, data in bombs.items():
        source = tmp_path / "model.pt"
        source.write_bytes(data)
        assert len(data) < 200_000
        run = subprocess.run([sys.executable, "-c", program, str(source)], capture_output=True, text=True, check=False)
        told, grown = run.stdout.splitlines()
        assert "too long" in told, (name, run.stderr)
        assert int(grown) < 3 * MAX_PICKLE >> 10, name


def test_bad_ones_are_named(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    for data in (reduce(marker), saved({"a": touching(marker)}, _use_new_zipfile_serialization=False), BAD):
        assert refused(data).calls
