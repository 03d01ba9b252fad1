"""The product's image, built by the real `cog build`."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from . import stand_ins
from .commands import cog, docker, gateway, script
from .stand_ins import Asked

TAG = "gpt-image-2-cog:container-test"
# Without this Cog takes its own base image, which holds compilers and is several times as large.
SLIM = "--use-cog-base-image=false"
PLAIN = "--progress=plain"
FIRST_DOCKER_WITH_NAMED_CONTEXTS = 23


@dataclass(frozen=True)
class Image:
    """An image in the local Docker; sizes in bytes, `log` is what `cog build` printed."""

    name: str
    base: str
    size: int
    base_size: int
    log: str
    seconds: float


@contextmanager
def built(**environment: str) -> Iterator[Image]:
    """What `cog build` makes, with stand-ins for what it asks for where no registry has that.

    While the block runs other Cog commands find the same images, and the build's cache.
    """
    started = time.monotonic()
    asked = Asked.by(cog("debug", SLIM))
    with local_schema(), base_images(asked), removed_afterwards(TAG):
        log = cog("build", SLIM, PLAIN, "--tag", TAG, **environment)
        seconds = time.monotonic() - started
        yield Image(TAG, asked.base, size_of(TAG), size_of(asked.base), log, seconds)


@contextmanager
def base_images(asked: Asked) -> Iterator[None]:
    """Have what Cog's Dockerfile asks a registry for; stand-ins are gone when the block ends."""
    if _registry_has(asked.base):
        yield
        return
    names = (asked.syntax, asked.uv, asked.base)
    with tempfile.TemporaryDirectory() as folder, removed_afterwards(*names):
        wheels = Path(folder)
        stand_ins.download(asked, wheels)
        stand_ins.make_frontend(asked.syntax)
        stand_ins.make_uv(asked.uv, wheels)
        with stand_ins.served(wheels, gateway("bridge")) as index:
            stand_ins.make_slim_python(asked, wheels, index)
            yield


@contextmanager
def local_schema() -> Iterator[None]:
    """Docker before 23 takes Cog's named context `cog_build` for an image: have one."""
    version = docker("version", "--format", "{{.Server.Version}}")
    if int(version.partition(".")[0]) >= FIRST_DOCKER_WITH_NAMED_CONTEXTS:
        yield
        return
    with removed_afterwards("cog_build"):
        stand_ins.make_schema("cog_build", script("openapi", "--print", "cog.yaml"))
        yield


@contextmanager
def removed_afterwards(*names: str) -> Iterator[None]:
    """A stand-in must not be taken for the real image by the next user of this Docker."""
    try:
        yield
    finally:
        for name in names:
            with suppress(AssertionError):
                docker("image", "rm", "--force", name)


def _registry_has(name: str) -> bool:
    try:
        docker("pull", "--quiet", name)
    except AssertionError:
        return False
    return True


def size_of(name: str) -> int:
    """An image's bytes, those of its base included."""
    return int(docker("image", "inspect", "--format", "{{.Size}}", name))
