"""Files in a store that speaks S3's protocol: a real one, over a real socket."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator

import psutil
import pytest
import requests

from api.files.bucket import Bucket
from api.files.store import TooManyBytes
from dev.servers.object_store import ObjectStore
from tests.support.cog_client import picture

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@pytest.fixture(scope="module")
def address(store: ObjectStore) -> str:
    return store.create_bucket("bucket-tests") + "/some/prefix"


@pytest.fixture
def bucket(store: ObjectStore, address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    for name, value in store.variables.items():
        monkeypatch.setenv(name, value)
    yield Bucket(address, store.endpoint)


async def pieces(content: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def read(bucket: Bucket, key: str, start: int, end: int) -> bytes:
    return b"".join([piece async for piece in await bucket.open(key, start, end)])


@pytest.mark.parametrize("size", [0, 1, (1 << 20) + 1, (5 << 20) + 1, 13_000_000])
async def test_a_file_is_kept_as_it_came(bucket: Bucket, size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    written = await bucket.write(f"size-{size}", pieces(content[:size]))

    assert written.size == size
    assert await read(bucket, f"size-{size}", 0, size) == content[:size]
    assert await read(bucket, f"size-{size}", size // 2, size) == content[size // 2 : size]


async def test_a_file_that_is_too_large_leaves_nothing(bucket: Bucket, store: ObjectStore) -> None:
    with pytest.raises(TooManyBytes):
        await bucket.write("too-large", pieces(bytes(12_000_000)), most=11_000_000)

    assert "some/prefix/too-large" not in store.names("bucket-tests")
    with pytest.raises(FileNotFoundError):
        await bucket.open("too-large", 0, 1)


async def test_deleting_what_is_not_there_is_no_fault(bucket: Bucket) -> None:
    await bucket.write("gone", pieces(b"a"))
    await bucket.delete(["gone", "never-there"])
    with pytest.raises(FileNotFoundError):
        await bucket.open("gone", 0, 1)


async def test_old_files_are_listed_by_their_keys(bucket: Bucket) -> None:
    await bucket.write("listed", pieces(b"a"))
    listed = [key async for keys in bucket.written_before(time.time() + 60) for key in keys]
    assert "listed" in listed
    assert not [key async for keys in bucket.written_before(0) for key in keys]


async def test_a_presigned_address_gives_the_picture_until_it_expires(bucket: Bucket) -> None:
    await bucket.write("shown", pieces(picture()), claimed="text/html")
    await bucket.write("script", pieces(b"<script>"), claimed="text/html")
    address, script = await bucket.presigned("shown", 60), await bucket.presigned("script", 60)
    brief = await bucket.presigned("shown", 1)
    assert address
    assert script
    assert brief
    answer = await asyncio.to_thread(requests.get, address, timeout=60)
    other = await asyncio.to_thread(requests.get, script, timeout=60)
    await asyncio.sleep(2.1)
    late = await asyncio.to_thread(requests.get, brief, timeout=60)

    assert answer.content == picture()
    assert answer.headers["content-type"] == "image/png"
    assert other.headers["content-type"] == "application/octet-stream"
    assert other.headers["content-disposition"] == "attachment"
    assert late.status_code == 403
    assert bucket.key_of(address) == "shown"
    assert bucket.key_of("https://elsewhere.example/bucket-tests/some/prefix/shown") is None


async def test_a_store_that_is_away_for_a_while_costs_nothing(
    bucket: Bucket, store: ObjectStore
) -> None:
    store.stop()
    again = threading.Timer(1.5, store.start)
    again.start()
    await bucket.write("late", pieces(bytes(6 << 20)))
    again.join()

    assert len(await read(bucket, "late", 0, 6 << 20)) == 6 << 20


async def test_memory_holds_a_few_parts_however_large_the_file(bucket: Bucket) -> None:
    async def large(megabytes: int) -> AsyncIterator[bytes]:
        for _ in range(megabytes):
            yield bytes(1 << 20)

    await bucket.write("warm", large(20), sums=False)
    process = psutil.Process()
    before, most = process.memory_info().rss, 0
    await bucket.write("large", large(200), sums=False)
    async for _ in await bucket.open("large", 0, 200 << 20):
        most = max(most, process.memory_info().rss)

    assert most - before < 80 << 20
