"""Files at signed addresses: to whoever has the address, and never as a page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest

from api.files.rows import OUTPUT, StoredFile
from api.ids import now
from api.settings import Settings
from tests.api.api_server import ApiServer, api_server
from tests.api.kept import Kept

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4000
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.fixture(scope="module")
def api(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    data = tmp_path_factory.mktemp("data")
    settings = Settings(data_directory=data, worker_port=0, metrics_port=0, **kept.fields)
    with api_server(settings) as server:
        yield server


@dataclass
class Output:
    file: StoredFile
    url: str


@pytest.fixture(scope="module")
def tenant_id(api: ApiServer) -> str:
    tenant = api.run(api.parts.tenants.by_token(api.token("acme")))
    assert tenant
    return tenant.id


def saved(api: ApiServer, tenant_id: str, content: bytes, name: str = "output-0.png") -> Output:
    saving = api.parts.files.save(content, tenant_id=tenant_id, kind=OUTPUT, name=name)
    file = api.run(saving)
    return Output(file, api.parts.files.address(file, api.root, now() + 60))


@pytest.fixture(scope="module")
def output(api: ApiServer, tenant_id: str) -> Output:
    return saved(api, tenant_id, PNG)


def test_an_address_is_readable_with_and_without_authorization(output: Output) -> None:
    assert httpx2.get(output.url).content == PNG
    for authorization in ("Bearer of another service", "Token x"):
        answer = httpx2.get(output.url, headers={"Authorization": authorization})
        assert answer.content == PNG
        assert answer.status_code == 200


def test_an_address_ends_with_the_files_name_and_stays_the_same(
    output: Output, api: ApiServer
) -> None:
    assert output.url.startswith(f"{api.root}/files/{output.file.id}/")
    assert output.url.endswith("/output-0.png")
    files = api.parts.files
    again = [files.address(output.file, "https://api.example", 2e9) for _ in range(2)]
    assert again[0] == again[1]


def test_no_page_and_no_picture_runs_anything_on_this_origin(
    output: Output, api: ApiServer, tenant_id: str
) -> None:
    pages = [
        saved(api, tenant_id, SVG, "picture.svg"),
        saved(api, tenant_id, b"<!doctype html><script>alert(1)</script>", "picture.png"),
        saved(api, tenant_id, b"", "empty.html"),
    ]
    for one in (output, *pages):
        headers = httpx2.get(one.url).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert httpx2.get(output.url).headers["Content-Type"] == "image/png"
    assert httpx2.get(output.url).headers["Content-Disposition"].startswith("inline")
    for page in pages:
        headers = httpx2.get(page.url).headers
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["Content-Disposition"].startswith("attachment; ")


def test_a_name_cannot_add_a_header(api: ApiServer, tenant_id: str) -> None:
    evil = saved(api, tenant_id, PNG, 'a"; filename=b.html\r\nSet-Cookie: x=1\u732b')
    answer = httpx2.get(evil.url)
    assert answer.content == PNG
    assert "Set-Cookie" not in answer.headers
    assert re.fullmatch(
        r"inline; filename\*=UTF-8''[\w.%-]+", answer.headers["Content-Disposition"]
    )


def test_an_address_that_was_changed_is_none(output: Output, api: ApiServer) -> None:
    id, expiry, signature, name = output.url.removeprefix(f"{api.root}/files/").split("/")
    other = "0" * 26 if id[0] != "0" else "1" * 26
    later = str(int(expiry) + 1)
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    for path in (
        f"{other}/{expiry}/{signature}/{name}",
        f"{id}/{later}/{signature}/{name}",
        f"{id}/{expiry}/{flipped}/{name}",
        f"{id}/{expiry}/{signature[:-1]}/{name}",
        f"{id}/{expiry}/{'A' * 43}/{name}",
        f"{id}/{expiry}/{name}",
        f"{id}/{'9' * 5000}/{signature}/{name}",
        f"{id}",
        f"{id}/../{id}/{expiry}/{flipped}/{name}",
    ):
        answer = httpx2.get(f"{api.root}/files/{path}")
        assert answer.status_code == 404, path
        assert answer.json()["status"] == 404


def test_an_address_expires(output: Output, api: ApiServer) -> None:
    past = api.parts.files.address(output.file, api.root, now() - 1)
    assert httpx2.get(past).status_code == 404


def test_a_range_is_answered_with_just_that(output: Output) -> None:
    for asked, start, end in (
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        (f"bytes={len(PNG) - 3}-", len(PNG) - 3, len(PNG)),
        (f"bytes=10-{len(PNG) * 2}", 10, len(PNG)),
        ("bytes=-4", len(PNG) - 4, len(PNG)),
        (f"bytes=-{len(PNG) * 2}", 0, len(PNG)),
    ):
        answer = httpx2.get(output.url, headers={"Range": asked})
        assert answer.status_code == 206
        assert answer.content == PNG[start:end]
        assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(PNG)}"


def test_a_range_behind_the_end_cannot_be_answered(output: Output) -> None:
    for asked in (f"bytes={len(PNG)}-", "bytes=-0"):
        answer = httpx2.get(output.url, headers={"Range": asked})
        assert answer.status_code == 416
        assert answer.headers["Content-Range"] == f"bytes */{len(PNG)}"


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "bytes=0-1,4-5", "lines=0-1", "bytes=-", "bytes=x-"]
)
def test_a_range_that_makes_no_sense_gets_the_whole_file(asked: str, output: Output) -> None:
    answer = httpx2.get(output.url, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, PNG)


def test_a_copy_that_is_still_good_is_not_sent_again(output: Output) -> None:
    etag = httpx2.get(output.url).headers["ETag"]
    answer = httpx2.get(output.url, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert httpx2.get(output.url, headers={"If-None-Match": '"other"'}).status_code == 200
    resumed = {"Range": "bytes=5-9", "If-Range": etag}
    assert httpx2.get(output.url, headers=resumed).status_code == 206
    assert httpx2.get(output.url, headers=resumed | {"If-Range": '"other"'}).status_code == 200


def test_a_head_request_gets_the_headers_alone(output: Output) -> None:
    answer = httpx2.head(output.url)
    assert answer.content == b""
    assert answer.headers["Content-Length"] == str(len(PNG))
    assert answer.headers["Content-Type"] == "image/png"


def test_a_file_that_is_removed_is_gone_at_once(api: ApiServer, kept: Kept, tenant_id: str) -> None:
    gone = saved(api, tenant_id, PNG)
    api.run(api.parts.files.remove([gone.file.id]))
    assert httpx2.get(gone.url).status_code == 404
    lost = saved(api, tenant_id, PNG)
    kept.lose(api.parts.settings.data_directory, lost.file.id)
    assert httpx2.get(lost.url).status_code == 404
