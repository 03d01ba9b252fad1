"""Replicate's Files API over real sockets."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import md5, sha256
from typing import Any

import httpx2
import pytest
from sqlalchemy import Executable, insert, update

from api.ids import new_id
from api.settings import Settings
from api.tables import files, tenants
from tests.api.api_server import ApiServer, api_server
from tests.api.kept import Kept
from tests.support.waiting import wait_until

Stored = Callable[[], set[str]]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@pytest.fixture(scope="module")
def api(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    settings = Settings(
        data_directory=tmp_path_factory.mktemp("data"),
        worker_port=0,
        metrics_port=0,
        max_upload_bytes=2_000_000,
        body_seconds=2,
        **kept.fields,
    )
    with api_server(settings) as server:
        yield server


@pytest.fixture
def caller(api: ApiServer, request: pytest.FixtureRequest) -> Iterator[httpx2.Client]:
    """A tenant of the test's own."""
    with api.caller(request.node.name[:60]) as client:
        yield client


def create(caller: httpx2.Client, **form: Any) -> httpx2.Response:
    parts = {"files": {"content": ("picture.png", PNG, "image/png")}, **form}
    return caller.post("/v1/files", **parts)


@pytest.fixture
def stored(api: ApiServer, kept: Kept) -> Stored:
    """The names of all files whose bytes are there."""
    return lambda: kept.files(api.parts.settings.data_directory)


def test_a_file_has_every_field_that_clients_need(caller: httpx2.Client, api: ApiServer) -> None:
    answer = create(caller)
    assert answer.status_code == 201
    file = answer.json()
    assert file == {
        "id": file["id"],
        "name": "picture.png",
        "content_type": "image/png",
        "size": len(PNG),
        "etag": md5(PNG, usedforsecurity=False).hexdigest(),
        "checksums": {
            "sha256": sha256(PNG).hexdigest(),
            "md5": md5(PNG, usedforsecurity=False).hexdigest(),
        },
        "metadata": {},
        "created_at": file["created_at"],
        "expires_at": file["expires_at"],
        "urls": {
            "get": f"{api.root}/v1/files/{file['id']}",
            "download": file["urls"]["download"],
        },
    }
    assert len(file["id"]) == 26
    assert file["created_at"].endswith("Z")
    assert file["expires_at"] > file["created_at"]
    assert caller.get(file["urls"]["get"]).json() == file


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"data": {"metadata": '{"a": {"b": "1"}}'}}, id="field of JSON, Python"),
        pytest.param(
            {
                "files": [
                    ("content", ("picture.png", PNG, "image/png")),
                    ("metadata", ("blob", b'{"a": {"b": "1"}}', "application/json")),
                ]
            },
            id="file of JSON, JavaScript",
        ),
        pytest.param(
            {
                "files": [
                    ("metadata", ("blob", b'{"a": {"b": "1"}}', "application/json")),
                    ("content", ("picture.png", PNG, "image/png")),
                ]
            },
            id="before the file",
        ),
        pytest.param({"data": {"metadata[a][b]": "1"}}, id="fields with keys, Stainless"),
    ],
)
def test_metadata_is_understood_as_each_client_sends_it(
    form: dict[str, Any], caller: httpx2.Client
) -> None:
    answer = create(caller, **form)
    assert answer.status_code == 201
    assert answer.json()["metadata"] == {"a": {"b": "1"}}
    assert caller.get(answer.json()["urls"]["get"]).json()["metadata"] == {"a": {"b": "1"}}


def test_half_a_character_in_metadata_is_mended(caller: httpx2.Client) -> None:
    answer = create(caller, data={"metadata": '{"a": "cut \\ud83d"}'})
    assert answer.json()["metadata"] == {"a": "cut \ufffd"}


@pytest.mark.parametrize("metadata", ["null", "{}"])
def test_metadata_is_an_object_also_where_it_is_empty(metadata: str, caller: httpx2.Client) -> None:
    assert create(caller, data={"metadata": metadata}).json()["metadata"] == {}


def test_name_and_type_may_have_parts_of_their_own(caller: httpx2.Client) -> None:
    part = {"content": ("upload", b"%PDF-1.7", "application/octet-stream")}
    told = {"filename": "paper.pdf", "type": "application/pdf"}
    file = create(caller, files=part, data=told).json()
    assert (file["name"], file["content_type"]) == ("paper.pdf", "application/pdf")
    assert caller.get(file["urls"]["get"]).json() == file


@pytest.mark.parametrize(
    ("name", "claimed", "content", "told"),
    [
        ("upload", "application/octet-stream", PNG, "image/png"),
        ("picture.webp", "image/webp", PNG, "image/png"),
        ("page.png", "image/png", b"<script>alert(1)</script>", "application/octet-stream"),
        ("note.txt", "text/plain", b"BMW", "image/bmp"),
        ("notes.txt", "text/plain; charset=utf-8", b"hello", "text/plain; charset=utf-8"),
        ("notes.txt", "text", b"hello", "application/octet-stream"),
        ("notes.txt", "text/" + "x" * 200, b"hello", "application/octet-stream"),
        ("notes.txt", "text/\u732b", b"hello", "application/octet-stream"),
    ],
)
def test_the_first_bytes_tell_a_picture_whatever_its_sender_calls_it(
    name: str, claimed: str, content: bytes, told: str, caller: httpx2.Client
) -> None:
    file = create(caller, files={"content": (name, content, claimed)}).json()
    assert file["content_type"] == told


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\pictures\\fox.png", "fox.png"),
        ("", "file"),
        ("f\u00fcchse \u732b.png", "f\u00fcchse \u732b.png"),
        ("n" * 300, "n" * 255),
    ],
)
def test_a_file_name_is_no_path(sent: str, told: str, caller: httpx2.Client) -> None:
    file = create(caller, data={"filename": sent}, files={"content": ("file", PNG)}).json()
    assert file["name"] == told
    assert caller.get(file["urls"]["download"]).content == PNG


def test_an_empty_file_is_a_file(caller: httpx2.Client) -> None:
    file = create(caller, files={"content": ("empty", b"")}).json()
    assert file["size"] == 0
    assert caller.get(file["urls"]["download"]).content == b""


def test_a_deleted_file_is_gone_with_its_bytes(caller: httpx2.Client, stored: Stored) -> None:
    file = create(caller).json()
    assert file["id"] in stored()
    assert caller.delete(file["urls"]["get"]).status_code == 204
    assert file["id"] not in stored()
    for answer in (
        caller.get(file["urls"]["get"]),
        caller.get(file["urls"]["download"]),
        caller.delete(file["urls"]["get"]),
    ):
        assert answer.status_code == 404
        assert answer.json()["status"] == 404
    assert caller.get("/v1/files").json()["results"] == []


def test_files_are_listed_a_page_at_a_time_newest_first(
    caller: httpx2.Client, api: ApiServer
) -> None:
    made = note_files(api, caller, 205)
    pages = [caller.get("/v1/files").json()]
    assert pages[0]["previous"] is None
    while following := pages[-1]["next"]:
        assert following.startswith(f"{api.root}/v1/files?")
        pages.append(caller.get(following).json())
    ids = [[file["id"] for file in page["results"]] for page in pages]
    assert ids == [made[:100], made[100:200], made[200:]]
    assert caller.get(pages[2]["previous"]).json()["results"] == pages[1]["results"]
    first_again = caller.get(pages[1]["previous"]).json()
    assert first_again["results"] == pages[0]["results"]
    assert first_again["previous"] is None
    assert caller.get(first_again["next"]).json() == pages[1]


def test_a_made_up_cursor_is_refused(caller: httpx2.Client) -> None:
    for cursor in ("x", "PCAxIHg", "PSAxIHg=", "PCB4IHg=", "\u732b"):
        assert caller.get("/v1/files", params={"cursor": cursor}).status_code == 400


def test_another_tenants_file_does_not_exist(caller: httpx2.Client, api: ApiServer) -> None:
    file = create(caller).json()
    with api.caller("somebody else") as other:
        for answer in (other.get(file["urls"]["get"]), other.delete(file["urls"]["get"])):
            assert answer.status_code == 404
        assert other.get("/v1/files").json()["results"] == []
    assert caller.get(file["urls"]["get"]).status_code == 200


def test_the_operator_sees_all(caller: httpx2.Client, api: ApiServer) -> None:
    file = create(caller).json()
    token = api.run(api.parts.tenants.create_token("the operator", operator=True))
    headers = {"Authorization": f"Token {token}"}
    assert httpx2.get(file["urls"]["get"], headers=headers).json() == file
    listed = httpx2.get(f"{api.root}/v1/files", headers=headers).json()["results"]
    assert file in listed


def test_nothing_works_without_a_token_except_a_signed_address(
    caller: httpx2.Client, api: ApiServer
) -> None:
    file = create(caller).json()
    with httpx2.Client(base_url=api.root) as stranger:
        for answer in (
            create(stranger),
            stranger.get("/v1/files"),
            stranger.get(file["urls"]["get"]),
            stranger.delete(file["urls"]["get"]),
        ):
            assert answer.status_code == 401
        assert stranger.get(file["urls"]["download"]).content == PNG


def test_a_download_needs_all_of_its_signature(caller: httpx2.Client, api: ApiServer) -> None:
    file = create(caller).json()
    url = httpx2.URL(file["urls"]["download"])
    plus_as_it_is = str(url).replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
    assert httpx2.get(plus_as_it_is).content == PNG
    for changed in (
        {"owner": "somebody"},
        {"owner": ""},
        {"expiry": str(int(url.params["expiry"]) + 1)},
        {"expiry": "9" * 5000},
        {"expiry": "x"},
        {"signature": ""},
        {"signature": "\u732b"},
        {"signature": url.params["signature"][:-4]},
    ):
        assert httpx2.get(url.copy_merge_params(changed)).status_code == 404, changed


def test_the_token_is_looked_at_before_the_body_is_sent(api: ApiServer) -> None:
    address = httpx2.URL(api.root)
    with socket.create_connection((address.host, address.port or 80), timeout=60) as connection:
        connection.sendall(
            b"POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 401 ")


def test_the_base_url_may_hold_v1_or_not(caller: httpx2.Client) -> None:
    file = create(caller).json()
    assert caller.get(f"/v1/v1/files/{file['id']}").json() == file
    assert caller.get("/v1/v1/files").json()["results"] == [file]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        pytest.param({"json": {"content": "x"}, "files": None}, 415, id="JSON"),
        pytest.param({"files": None, "data": {"content": "x"}}, 415, id="form of text"),
        pytest.param({"files": {"file": ("a", b"x")}}, 422, id="no part named content"),
        pytest.param(
            {"files": [("content", ("a", b"x")), ("content", ("b", b"y"))]}, 422, id="two files"
        ),
        pytest.param({"data": {"metadata": "[1]"}}, 422, id="metadata is a list"),
        pytest.param({"data": {"metadata": "{"}}, 422, id="metadata is no JSON"),
        pytest.param({"data": {"metadata": "[" * 50_000}}, 422, id="metadata without a bottom"),
        pytest.param({"data": {"metadata": "x" * 70_000}}, 413, id="metadata too long"),
        pytest.param({"files": {"content": ("a", bytes(2_000_001))}}, 413, id="file too large"),
    ],
)
def test_a_form_that_is_refused_leaves_nothing(
    form: dict[str, Any], status: int, caller: httpx2.Client, stored: Stored
) -> None:
    before = stored()
    answer = create(caller, **form)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["detail"].endswith(".")
    assert stored() == before
    assert caller.get("/v1/files").json()["results"] == []


def test_the_largest_file_is_taken(caller: httpx2.Client) -> None:
    assert create(caller, files={"content": ("a", bytes(2_000_000))}).status_code == 201


def test_an_upload_that_is_cut_short_leaves_nothing(caller: httpx2.Client, stored: Stored) -> None:
    before = stored()
    head = b'--b\r\nContent-Disposition: form-data; name="content"; filename="a"\r\n\r\n'
    for body in (head + bytes(1_500_000), head + b"x\r\n--b\r\nContent-Disp", head, b""):
        answer = caller.post(
            "/v1/files", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
        )
        assert answer.status_code == 400
        assert "ends before its last boundary" in answer.json()["detail"]
    assert stored() == before
    assert caller.get("/v1/files").json()["results"] == []


def test_stored_bytes_are_bounded_per_tenant(
    caller: httpx2.Client, api: ApiServer, stored: Stored
) -> None:
    limit_stored_bytes(api, caller, 3_000_000)
    before = stored()
    first = create(caller, files={"content": ("a", bytes(1_600_000))}).json()
    refused = create(caller, files={"content": ("b", bytes(1_600_000))})
    assert refused.status_code == 413
    assert "more than 3MB" in refused.json()["detail"]
    assert stored() == before | {first["id"]}
    with api.caller("with room of its own") as other:
        assert create(other, files={"content": ("b", bytes(1_600_000))}).status_code == 201
    caller.delete(first["urls"]["get"])
    assert create(caller, files={"content": ("b", bytes(1_600_000))}).status_code == 201


@pytest.mark.one_machine
def test_a_caller_who_hangs_up_leaves_nothing(caller: httpx2.Client, stored: Stored) -> None:
    before = stored()
    with half_an_upload(caller, bytes(1_500_000)):
        wait_until(lambda: stored() != before)  # on its way to the disk
    wait_until(lambda: stored() == before)


def test_an_upload_that_drips_is_cut(caller: httpx2.Client, stored: Stored) -> None:
    before = stored()
    with half_an_upload(caller, bytes(1_500_000)) as connection:
        connection.settimeout(0.1)
        answer, give_up = b"", time.monotonic() + 60
        while not answer and time.monotonic() < give_up:
            connection.sendall(b"x")
            with suppress(TimeoutError):
                answer = connection.recv(10_000)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"within 2 s" in answer
    wait_until(lambda: stored() == before)


def test_a_compressed_form_is_refused(caller: httpx2.Client) -> None:
    assert create(caller, headers={"Content-Encoding": "gzip"}).status_code == 415


def half_an_upload(caller: httpx2.Client, content: bytes) -> socket.socket:
    connection = socket.create_connection((caller.base_url.host, caller.base_url.port), timeout=60)
    head = (
        "POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: 1900000\r\n"
        f"Authorization: {caller.headers['Authorization']}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="content"; filename="a"\r\n\r\n'
    )
    connection.sendall(head.encode() + content)
    return connection


def tenant_of(api: ApiServer, caller: httpx2.Client) -> str:
    token = caller.headers["Authorization"].split()[1]
    tenant = api.run(api.parts.tenants.by_token(token))
    assert tenant
    return tenant.id


def limit_stored_bytes(api: ApiServer, caller: httpx2.Client, most: int) -> None:
    changed = update(tenants).where(tenants.c.id == tenant_of(api, caller))
    change(api, changed.values(limits={"stored_bytes": most}))


def note_files(api: ApiServer, caller: httpx2.Client, count: int) -> list[str]:
    """Rows of files, newest first; several of them made at the same time."""
    about = {"tenant_id": tenant_of(api, caller), "kind": "upload", "name": "n", "size": 1}
    about |= {"content_type": "text/plain", "sha256": "0", "md5": "0", "metadata": {}}
    rows = [
        about | {"id": new_id(), "created_at": 1e9 + n // 7, "expires_at": 4e9}
        for n in range(count)
    ]
    change(api, insert(files).values(rows))
    newest_first = sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)
    return [str(row["id"]) for row in newest_first]


def change(api: ApiServer, statement: Executable) -> None:
    api.run(api.parts.database.write(lambda connection: connection.execute(statement)))
