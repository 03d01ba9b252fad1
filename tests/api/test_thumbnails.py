"""Small pictures beside the originals: made once, in a process with bounds, removed with them."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from PIL import Image

from api.files.rows import StoredFile
from api.files.thumbnail_ids import Edge, thumbnail_id
from api.ids import now
from api.settings import Settings
from tests.api.api_server import ApiServer, api_server
from tests.api.kept import Kept


@pytest.fixture(scope="module")
def server(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    data = tmp_path_factory.mktemp("data")
    settings = Settings(data_directory=data, metrics_port=0, worker_port=0, **kept.fields)
    with api_server(settings) as running:
        yield running


@pytest.fixture(scope="module")
def caller(server: ApiServer) -> Iterator[httpx2.Client]:
    with server.caller("painter") as client:
        yield client


def drawn(kind: str, size: tuple[int, int], mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, (200, 80, 40, 0)[: len(mode)]).save(file, kind, **options)
    return file.getvalue()


def bomb() -> bytes:
    """A PNG that says it has 60,000 x 60,000 pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def uploaded(server: ApiServer, caller: httpx2.Client, content: bytes) -> StoredFile:
    answer = caller.post("/v1/files", files={"content": ("picture", content)})
    assert answer.status_code == 201, answer.text
    file = server.run(server.parts.files.find(answer.json()["id"]))
    assert file
    return file


def small(server: ApiServer, file: StoredFile, edge: str = "thumbnail") -> httpx2.Response:
    path = server.parts.files.address(file, "", now() + 600)
    return httpx2.get(f"{server.root}/playground/{edge}{path}", trust_env=False, timeout=60)


@pytest.fixture
def lose_bytes(server: ApiServer, kept: Kept) -> Callable[[StoredFile], None]:
    """From then on nothing can be made of the original."""
    return lambda file: kept.lose(server.parts.settings.data_directory, file.id)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "TIFF", "BMP"])
def test_every_kind_of_picture_gets_a_small_one(
    kind: str, server: ApiServer, caller: httpx2.Client
) -> None:
    answer = small(server, uploaded(server, caller, drawn(kind, (1200, 600))))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/webp"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (480, 240)


def test_transparency_stays(server: ApiServer, caller: httpx2.Client) -> None:
    answer = small(server, uploaded(server, caller, drawn("PNG", (800, 800), "RGBA")), "preview")
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (800, 800)  # never larger than the original
        assert picture.getchannel("A").getextrema() == (0, 0)


def test_a_photo_is_upright(server: ApiServer, caller: httpx2.Client) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    file = uploaded(server, caller, drawn("JPEG", (1000, 500), exif=exif))
    with Image.open(io.BytesIO(small(server, file).content)) as picture:
        assert picture.size == (240, 480)
    sizes = server.run(server.parts.thumbnails.sizes([file.id]))
    assert sizes[file.id] == {"width": 500, "height": 1000}


def test_it_is_made_once(
    server: ApiServer, caller: httpx2.Client, lose_bytes: Callable[[StoredFile], None]
) -> None:
    file = uploaded(server, caller, drawn("PNG", (1200, 600)))
    first = small(server, file)
    lose_bytes(file)
    assert small(server, file).content == first.content


@pytest.mark.parametrize(
    "content",
    [bomb(), drawn("PNG", (400, 400))[:60], b"\x89PNG\r\n\x1a\nnot at all"],
    ids=["pixel bomb", "cut short", "no picture"],
)
def test_what_cannot_be_shrunk_is_tried_once(
    content: bytes,
    server: ApiServer,
    caller: httpx2.Client,
    lose_bytes: Callable[[StoredFile], None],
) -> None:
    file = uploaded(server, caller, content)
    assert small(server, file).status_code == 404
    noted = server.run(server.parts.files.find(thumbnail_id(file.id, Edge.THUMBNAIL)))
    assert noted is not None
    assert noted.size == 0
    lose_bytes(file)
    assert small(server, file).status_code == 404


def test_a_file_that_is_no_picture_has_none(server: ApiServer, caller: httpx2.Client) -> None:
    file = uploaded(server, caller, b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert small(server, file).status_code == 404
    assert server.run(server.parts.files.find(thumbnail_id(file.id, Edge.THUMBNAIL))) is None


def test_only_the_originals_address_leads_to_it(server: ApiServer, caller: httpx2.Client) -> None:
    file = uploaded(server, caller, drawn("PNG", (600, 600)))
    path = server.parts.files.address(file, "", now() + 600)
    forged = path.replace(path.split("/")[4], "A" * 43)
    for edge, each in (("thumbnail", forged), ("poster", path)):
        answer = httpx2.get(f"{server.root}/playground/{edge}{each}", trust_env=False)
        assert answer.status_code == 404


def test_it_goes_with_the_original(server: ApiServer, kept: Kept, caller: httpx2.Client) -> None:
    file = uploaded(server, caller, drawn("PNG", (600, 600)))
    assert small(server, file).status_code == 200
    assert caller.delete(f"/v1/files/{file.id}").status_code == 204
    assert server.run(server.parts.files.find(thumbnail_id(file.id, Edge.THUMBNAIL))) is None
    assert small(server, file).status_code == 404
    left = kept.files(server.parts.settings.data_directory)
    assert thumbnail_id(file.id, Edge.THUMBNAIL) not in left
