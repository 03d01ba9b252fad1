"""What is stored, what is removed, and what a crash leaves."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.app import running
from api.errors import TooLarge
from api.files.addresses import read_address
from api.files.directory import Directory
from api.files.files import Room
from api.files.rows import INPUT, OUTPUT, UPLOAD, StoredFile
from api.files.store import TooManyBytes
from api.ids import now
from api.parts import Parts
from api.settings import Settings
from api.tenants import Tenant
from tests.api.kept import Kept

pytestmark = pytest.mark.anyio

Stored = Callable[[], set[str]]

PICTURE = bytes(range(256)) * 9000


@pytest.fixture
async def the(own_kept: Kept, tmp_path: Path) -> AsyncIterator[Parts]:
    settings = Settings(data_directory=tmp_path, worker_port=0, metrics_port=0, **own_kept.fields)
    async with running(settings) as parts:
        yield parts


@pytest.fixture
def stored(the: Parts, own_kept: Kept) -> Stored:
    """The names of all files whose bytes are there."""
    return lambda: own_kept.files(the.settings.data_directory)


async def tenant_named(the: Parts, name: str) -> Tenant:
    tenant = await the.tenants.by_token(await the.tenants.create_token(name))
    assert tenant
    return tenant


@pytest.fixture
async def tenant(the: Parts) -> Tenant:
    return await tenant_named(the, "acme")


async def pieces(content: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def read(the: Parts, file: StoredFile) -> bytes:
    return b"".join([piece async for piece in the.files.read(file)])


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 7_000_000])
@pytest.mark.parametrize("step", [999, 65536, 3 << 20])
async def test_a_file_is_kept_as_it_came(size: int, step: int, the: Parts, tenant: Tenant) -> None:
    content = (PICTURE * 4)[:size]
    file = await the.files.save(
        pieces(content, step), tenant_id=tenant.id, kind=OUTPUT, name="o", prediction_id="p" * 26
    )
    assert await read(the, file) == content
    assert file.size == size
    assert await the.files.find(file.id) == file
    assert await the.files.of_prediction("p" * 26) == [file]


async def test_its_own_address_leads_to_a_file(the: Parts, tenant: Tenant) -> None:
    file = await the.files.save(PICTURE, tenant_id=tenant.id, kind=UPLOAD, name="a b.png")
    query = the.files.download_query(file, now() + 60)
    signed = [
        the.files.address(file, "https://api.example", now() + 60),
        f"https://elsewhere.example/v1/files/{file.id}/download?"
        + "&".join(f"{name}={value}" for name, value in query.items()),
    ]
    plain = [f"http://api.example/v1/files/{file.id}", f"/v1/v1/files/{file.id}/"]
    other = await tenant_named(the, "other")
    operator = replace(other, is_operator=True)
    for url in (*signed, *plain):
        assert await the.files.own(url, tenant) == file
        assert await the.files.own(url, operator) == file
    for url in signed:
        assert await the.files.own(url, other) == file
        assert await the.files.addressed(read_address(url)) == file
    for url in plain:
        assert await the.files.own(url, other) is None
        assert await the.files.addressed(read_address(url)) is None


@pytest.mark.parametrize(
    "url", ["http://[::1", "https://api.example/v1/files/x", "data:,x", "", "https://a.example/"]
)
async def test_other_addresses_are_not_ours(url: str, the: Parts, tenant: Tenant) -> None:
    assert await the.files.own(url, tenant) is None


async def test_a_file_is_gone_when_its_time_is_over(
    the: Parts, tenant: Tenant, stored: Stored
) -> None:
    about: dict[str, Any] = {"tenant_id": tenant.id, "name": "n"}
    gone = await the.files.save(PICTURE, kind=UPLOAD, expires_at=now() - 1, **about)
    kept = await the.files.save(PICTURE, kind=UPLOAD, expires_at=now() + 60, **about)
    with_its_prediction = await the.files.save(PICTURE, kind=INPUT, **about)
    address = the.files.address(gone, "https://api.example", now() + 60)
    assert await the.files.find(gone.id) is None
    assert await the.files.own(address, tenant) is None
    assert [file.id for file in await the.files.uploads(tenant, 10)] == [kept.id]
    await the.files.remove_expired()
    assert stored() == {kept.id, with_its_prediction.id}


async def test_a_failed_write_leaves_nothing(the: Parts, tenant: Tenant, stored: Stored) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield bytes(65536)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await the.files.save(breaking(), tenant_id=tenant.id, kind=UPLOAD, name="n")
    with pytest.raises(TooLarge, match="larger than the limit of 1MB"):
        await the.files.save(
            pieces(PICTURE),
            tenant_id=tenant.id,
            kind=UPLOAD,
            name="n",
            room=Room(file_bytes=1_000_000, tenant_bytes=10**9),
        )
    assert stored() == set()


async def test_outputs_are_kept_also_where_their_tenant_has_no_room(
    the: Parts, tenant: Tenant
) -> None:
    await the.files.save(PICTURE, tenant_id=tenant.id, kind=OUTPUT, name="paid.png")
    with pytest.raises(TooLarge, match="more than 1MB"):
        await the.files.save(
            b"x",
            tenant_id=tenant.id,
            kind=UPLOAD,
            name="n",
            room=Room(file_bytes=1_000_000, tenant_bytes=1_000_000),
        )


@pytest.mark.one_machine
async def test_bytes_without_a_row_are_removed_when_nobody_can_write_them_any_more(
    the: Parts, tenant: Tenant, stored: Stored
) -> None:
    directory = the.settings.files_directory
    kept = await the.files.save(PICTURE, tenant_id=tenant.id, kind=OUTPUT, name="n")
    for name, age in (("old-orphan", 4000), ("new-orphan", 10), (kept.id, 4000)):
        path = directory / name
        path.touch()
        os.utime(path, (now() - age, now() - age))
    await the.files.remove_orphans()
    assert stored() == {kept.id, "new-orphan"}


_WRITE_FOR_EVER = """
import asyncio, pathlib, sys
from api.files.directory import Directory

async def for_ever():
    while True:
        yield bytes(1 << 20)
        await asyncio.sleep(0.01)

asyncio.run(Directory(pathlib.Path(sys.argv[1])).write("key", for_ever(), None))
"""


async def test_what_a_kill_left_half_written_is_gone_at_the_next_start(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WRITE_FOR_EVER, str(tmp_path)]
    with subprocess.Popen(command) as writer:  # noqa: ASYNC220 - nothing else runs on this loop
        while writer.poll() is None and not names(tmp_path):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        writer.kill()
    assert names(tmp_path)
    assert "key" not in names(tmp_path)
    await Directory(tmp_path).begin()
    assert not names(tmp_path)


@pytest.mark.one_machine
async def test_only_the_owner_of_the_process_can_look_into_the_store(the: Parts) -> None:
    assert the.settings.files_directory.stat().st_mode & 0o077 == 0


async def test_the_bound_is_exact(tmp_path: Path) -> None:
    store = Directory(tmp_path)
    assert (await store.write("a", pieces(bytes(1000), 100), 1000)).size == 1000
    with pytest.raises(TooManyBytes):
        await store.write("b", pieces(bytes(1001), 100), 1000)
    assert names(tmp_path) == {"a"}


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}
