"""A real store that speaks S3's protocol: versitygw, on loopback, with its files in a directory."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.servers.process import HOST, PROJECT, Server, clean_environment, free_port, get

_PROGRAM = "github.com/versity/versitygw/cmd/versitygw"
_PINS = "tools/object-store"
_REGION = "us-east-1"


class NoObjectStore(Exception):
    """Its program is not built; the text says how it is."""


class ObjectStore:
    """One store, which can be ended and started again at its place."""

    def __init__(self, folder: Path) -> None:
        self._program = _program()
        self._folder, self._sidecar = folder / "buckets", folder / "types"
        for each in (self._folder, self._sidecar):
            each.mkdir()
        self._port = free_port()
        self._keys = {
            "AWS_ACCESS_KEY_ID": "test-store",
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16),
        }
        self.endpoint = f"http://{HOST}:{self._port}"
        self.server: Server | None = None

    @property
    def variables(self) -> dict[str, str]:
        """What its clients' environment holds."""
        return self._keys | {"AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": _REGION}

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command: list[str | Path] = [
            self._program,
            *("--access", self._keys["AWS_ACCESS_KEY_ID"]),
            *("--secret", self._keys["AWS_SECRET_ACCESS_KEY"]),
            *("--port", f"{HOST}:{self._port}", "--region", _REGION),
            *("--health", "/health", "--quiet"),
            *("posix", "--sidecar", str(self._sidecar), str(self._folder)),
        ]
        self.server = Server("versitygw", command, clean_environment())
        self.server.wait_until(self._answers)

    def stop(self) -> None:
        """End it."""
        if self.server:
            self.server.stop()

    def create_bucket(self, name: str) -> str:
        """The address of a new bucket."""
        (self._folder / name).mkdir()
        return f"s3://{name}"

    def names(self, bucket: str) -> set[str]:
        """What is in a bucket."""
        root = self._folder / bucket
        return {
            str(file.relative_to(root))
            for file in root.rglob("*")
            if file.is_file() and not file.relative_to(root).parts[0].startswith(".")
        }

    def names_with(self, bucket: str, content: bytes) -> list[str]:
        """The names of what holds these bytes."""
        root = self._folder / bucket
        return [name for name in self.names(bucket) if content in (root / name).read_bytes()]

    def lose(self, bucket: str, name: str) -> None:
        """Remove one object behind everybody's back."""
        (self._folder / bucket / name).unlink()

    def _answers(self) -> bool:
        try:
            return get(f"{self.endpoint}/health")[0] == 200
        except OSError:
            return False


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """A store that runs.

    Raises:
        NoObjectStore: it is not built.
    """
    folder = Path(tempfile.mkdtemp(prefix="gpt-image-2-store-"))
    try:
        store = ObjectStore(folder)
        store.start()
        try:
            yield store
        finally:
            store.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program() -> Path:
    found = subprocess.run(
        [PROJECT / "scripts" / "go-tool", _PROGRAM, _PINS],
        env=dict(os.environ) | {"CACHED_ONLY": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode != 0:
        raise NoObjectStore(found.stderr.strip())
    return Path(found.stdout.strip())
