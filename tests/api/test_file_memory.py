"""Files pass through the API, not through its memory."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2

from dev.servers.api import Api

MEGABYTE = 1 << 20
SIZE = 80 * MEGABYTE


def peak_megabytes(api: Api) -> float:
    """The most memory that the process has had so far."""
    assert api.server
    status = Path(f"/proc/{api.server.process.pid}/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert match
    return int(match[1]) / 1024


def form() -> Iterator[bytes]:
    yield b'--b\r\nContent-Disposition: form-data; name="content"; filename="large"\r\n\r\n'
    for _ in range(SIZE // MEGABYTE):
        yield bytes(MEGABYTE)
    yield b"\r\n--b--\r\n"


def test_neither_uploads_nor_slow_downloads_are_held_in_memory(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.token}"}
    with httpx2.Client(base_url=api.url, headers=headers, timeout=60) as caller:
        before = peak_megabytes(api)
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = caller.post("/v1/files", content=form(), headers=kind)
        file = answer.json()
        assert file["size"] == SIZE
        address = file["urls"]["download"]
        readers = [caller.send(caller.build_request("GET", address), stream=True) for _ in range(8)]
        with caller.stream("GET", address) as whole:
            assert sum(len(piece) for piece in whole.iter_raw()) == SIZE
        grown = peak_megabytes(api) - before
        for reader in readers:
            reader.close()
        caller.delete(file["urls"]["get"])
    assert grown < 60
