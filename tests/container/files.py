"""What lies in an image: its files, its layers, and the versions that it should hold."""

import gzip
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator

from dev.servers import PROJECT

from .commands import docker

COMPILERS = re.compile(r"(^|/)bin/([\w-]+-)?(gcc|g\+\+|cc|c\+\+|clang|tcc|rustc|go|ld|as)(-\d+)?$")


def files_of(image: str) -> list[str]:
    """The name of every file in the image, without the first slash."""
    container = docker("create", image)
    with tempfile.TemporaryFile() as exported:
        subprocess.run(["docker", "export", container], stdout=exported, check=True)
        docker("rm", "--volumes", container)
        exported.seek(0)
        with tarfile.open(fileobj=exported) as tar:
            return [entry.name for entry in tar if not entry.isdir()]


def layers_of(image: str) -> Iterator[bytes]:
    """Everything that `docker save` writes, unpacked as far as a layer's own tar."""
    with tempfile.TemporaryFile() as saved:
        subprocess.run(["docker", "save", image], stdout=saved, check=True)
        saved.seek(0)
        with tarfile.open(fileobj=saved) as tar:
            for entry in tar:
                if file := tar.extractfile(entry):
                    data = file.read()
                    yield gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def pinned(lock: str) -> set[str]:
    """The lines `package==version` of a lock file."""
    lines = (PROJECT / lock).read_text().splitlines()
    uncommented = [re.split("[#;]", line)[0].strip() for line in lines]
    return {normal(line) for line in uncommented if line}


def normal(requirement: str) -> str:
    """Package names as the index compares them."""
    return requirement.lower().replace("_", "-")
