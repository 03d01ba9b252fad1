"""A file system put together in memory, for `docker import`."""

import io
import re
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path

from .commands import run

# Loaded by name while a program runs, so that ldd does not list them.
LATE_LIBRARIES = re.compile(
    r"lib(pthread|dl|rt|util|mvec|anl|resolv|nss_dns|nss_files|gcc_s|stdc\+\+)\.so\.\d+"
)


class Layer:
    """Every file belongs to root, and a name is taken once."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._bytes, mode="w")  # noqa: SIM115 - until to_image()
        self._names: set[str] = set()

    def add(self, source: Path, name: str) -> None:
        """Copy a file, following links."""
        self.write(name, source.read_bytes(), mode=source.stat().st_mode & 0o777)

    def write(self, name: str, content: str | bytes, mode: int = 0o644) -> None:
        data = content.encode() if isinstance(content, str) else content
        entry = tarfile.TarInfo(name.lstrip("/"))
        entry.size, entry.mode = len(data), mode
        self._put(entry, data)

    def directory(self, name: str, mode: int = 0o755) -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        self._put(entry)

    def link(self, name: str, target: str) -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        self._put(entry)

    def add_libraries_of(self, programs: Iterable[Path]) -> None:
        """Every shared library that these load, in the one directory that the loader knows."""
        listing = subprocess.run(["ldd", *programs], capture_output=True, text=True).stdout
        found = {Path(path) for path in re.findall(r"(/\S+) \(0x", listing)}
        loader = next(path for path in found if path.name.startswith("ld-"))
        standard = next(path for path in found if path.name == "libc.so.6").parent
        late = {path for path in standard.iterdir() if LATE_LIBRARIES.fullmatch(path.name)}
        self.add(loader, str(loader))
        for path in sorted(found - {loader} | late):
            self.add(path, f"{standard}/{path.name}")

    def to_image(self, name: str, *changes: str) -> None:
        """Hand it to Docker under this name, with these lines of a Dockerfile."""
        self._tar.close()
        options = [part for change in changes for part in ("--change", change)]
        run("docker", "import", *options, "-", name, stdin=self._bytes.getvalue())

    def _put(self, entry: tarfile.TarInfo, data: bytes = b"") -> None:
        if entry.name not in self._names:
            self._names.add(entry.name)
            self._tar.addfile(entry, io.BytesIO(data))
