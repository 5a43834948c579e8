"""``maskwright http`` by what callers of rembg's server send, and by what must not come in."""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskwright.bridges import http as bridge
from maskwright.bridges.token import http_token
from maskwright_protocol.errors import BadInput
from tests.server.conftest import Server
from tests.shared_data import REPOSITORY

for package in ("starlette", "uvicorn", "python_multipart"):
    pytest.importorskip(package, reason="the extra 'bridges' is not installed")

PHOTO = REPOSITORY / "server" / "maskwright" / "cli" / "sample" / "astronaut.jpg"
BOUNDARY = "a-line-between"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


@dataclass
class Door:
    port: int
    token: str

    def send(
        self, method: str = "POST", path: str = bridge.PATH, body: bytes = b"", token: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """``headers``' names are written with ``_`` for ``-``; the token is sent as a bearer's, if it is not named."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        shown = self.token if token is None else token
        if shown and "Authorization" not in given:
            given["Authorization"] = f"Bearer {shown}"
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def remove(self, picture: bytes, **fields: str) -> tuple[int, dict[str, str], bytes]:
        return self.send(body=form(picture, **fields), Content_Type=FORM)


def form(picture: bytes | None, **fields: str) -> bytes:
    """A form as browsers and HTTP libraries write it."""
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in fields.items()]  # fmt: skip
    if picture is not None:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
        parts.append(head.encode() + b"Content-Type: image/jpeg\r\n\r\n" + picture + b"\r\n")
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


@pytest.fixture(scope="module")
def door(server: Server) -> Iterator[Door]:
    """The command, run beside a real server."""
    process = subprocess.Popen(
        [sys.executable, "-m", "maskwright.cli", "http", "--port", "0"], env=server.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    yield Door(int(address.split(":")[2].split("/")[0]), address.partition("token=")[2])
    process.terminate()
    process.wait(10)
    process.stdout.close()


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A JPEG that lies on its side, and says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.open(PHOTO).resize((320, 240)).rotate(90, expand=True).save(stream, "JPEG", exif=exif)
    return stream.getvalue()


def opened(answer: tuple[int, dict[str, str], bytes]) -> Image.Image:
    status, headers, data = answer
    assert status == 200, data
    assert headers["content-type"] == "image/png"
    assert data.startswith(b"\x89PNG")
    return Image.open(io.BytesIO(data))


# ---------------------------------------------------------------- what callers get


def test_a_picture_comes_back_without_its_background(door: Door, photo: bytes) -> None:
    answer = door.remove(photo)
    image = opened(answer)
    assert image.mode == "RGBA"
    assert image.size == (320, 240)  # upright, as rembg gives it
    alpha = np.asarray(image)[..., 3]
    assert 0.2 < (alpha > 127).mean() < 0.9
    assert answer[1]["x-maskwright-models"]
    assert "server" not in answer[1]
    shown = np.asarray(image)[..., :3][alpha == 255].astype(int)
    original = np.asarray(Image.open(PHOTO).resize((320, 240)))[alpha == 255].astype(int)
    assert np.abs(shown - original).mean() < 8  # its own colours


def test_masks_matting_and_colours(door: Door, photo: bytes) -> None:
    mask = opened(door.remove(photo, om="true"))
    assert (mask.mode, mask.size) == ("L", (320, 240))
    clean = np.asarray(opened(door.remove(photo, om="true", ppm="true")))
    assert set(np.unique(clean)) == {0, 255}
    assert np.mean((clean > 127) == (np.asarray(mask) > 127)) > 0.97
    matted = np.asarray(opened(door.remove(photo, a="true", af="200", ab="50", ae="4")))[..., 3]
    assert np.mean((matted > 127) == (np.asarray(mask) > 127)) > 0.9
    answer = door.send(path=f"{bridge.PATH}?bgc=0,0,255,255", body=form(photo), Content_Type=FORM)
    behind = np.asarray(opened(answer))
    assert behind[..., 3].min() == 255
    assert behind[np.asarray(mask) == 0].mean(axis=0)[:3].round().tolist() == [0, 0, 255]


def test_models_by_rembgs_names(door: Door, photo: bytes) -> None:
    status, headers, _ = door.remove(photo, model="u2netp")
    assert (status, headers["x-maskwright-models"]) == (200, "u2netp")
    status, headers, _ = door.remove(photo, model="birefnet-dis")
    assert status == 200
    assert "birefnet-dis is not installed" in headers["x-maskwright-notes"]
    marks = json.dumps({"sam_prompt": [{"type": "point", "data": [140, 70], "label": 1}]})
    status, headers, _ = door.remove(photo, model="sam", extras=marks)
    assert status == 200
    assert "mobile-sam" in headers["x-maskwright-models"]
    status, _, data = door.remove(photo, model="nobody")
    assert status == 422
    assert "nobody" in json.loads(data)["detail"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_with_the_token_in_the_address(door: Door, photo: bytes, tmp_path: Path) -> None:
    (tmp_path / "in.jpg").write_bytes(photo)
    addresses = (f"http://localhost:{door.port}/api/remove?token={door.token}",
                 f"http://:{door.token}@127.0.0.1:{door.port}/api/remove")  # fmt: skip
    for number, address in enumerate(addresses):
        out = tmp_path / f"{number}.png"
        command = ["curl", "-s", "-F", f"file=@{tmp_path / 'in.jpg'}", "-F", "om=true", address, "-o", str(out)]
        subprocess.run(command, check=True, timeout=120)
        assert Image.open(out).size == (320, 240)


# ---------------------------------------------------------------- what does not come in


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"token": "wrong"}, 401),
        ({"token": ""}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Basic " + base64.b64encode(b"x:wrong").decode()}, 401),
        ({"Authorization": "Basic ÿÿ"}, 401),
        ({"Host": "example.org"}, 403),
        ({"Host": "127.0.0.1.example.org"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Mode": "no-cors"}, 403),
        ({"path": "/"}, 404),
        ({"path": "/api/remove/"}, 404),
        ({"method": "PUT"}, 405),
    ],
    ids=str,
)
def test_who_is_refused(door: Door, headers: dict[str, Any], status: int) -> None:
    found, told, data = door.send(**headers)
    assert found == status
    assert json.loads(data)["detail"]
    assert told["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in told


def test_nothing_is_fetched(door: Door) -> None:
    status, _, data = door.send("GET", f"{bridge.PATH}?url=http://127.0.0.1:{door.port}/a.png")
    assert status == 422
    assert "Nothing is fetched" in json.loads(data)["detail"]


@pytest.mark.parametrize(
    "body", [b"", b"no form", form(None), form(b""), form(b"no picture"), form(b"\x89PNG\r\n\x1a\n")]
)
def test_what_is_no_picture(door: Door, body: bytes) -> None:
    status, _, data = door.send(body=body, Content_Type=FORM)
    assert status == 422, data
    assert json.loads(data)["detail"]


def test_too_much(door: Door) -> None:
    status, _, _ = door.send(body=b"", Content_Length=str(bridge.MAX_BYTES + 1))
    assert status == 413
    many = form(b"x", **{f"field{number}": "x" for number in range(100)})
    status, _, data = door.send(body=many, Content_Type=FORM)
    assert status == 422, data


def test_the_token_is_this_user_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "http-token"
    first = http_token(path=path)
    assert http_token(path=path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert http_token(renew=True, path=path) != first
    os.chmod(path, 0o644)
    with pytest.raises(BadInput, match="read by others"):
        http_token(path=path)


def test_a_taken_port_is_told(door: Door, server: Server) -> None:
    done = server.cli("http", "--port", str(door.port))
    assert done.returncode != 0
    assert f"Port {door.port}" in done.stderr
    assert "--port" in done.stderr
