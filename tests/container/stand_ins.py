"""The images that `cog build` asks a registry for, made from this machine where none answers.

Cog then runs unchanged, since Docker prefers a local image of the right name. What is lost is
Debian: in the stand-in for the slim image `apt-get` does nothing, and `curl`, which Cog uses once
to fetch tini, copies the tini that came with Docker.
"""

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from dev.servers import PROJECT

from .commands import run, script
from .layer import Layer

FRONTEND = "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend"
COMMANDS = ("sh", "cat", "ls", "rm", "cp", "mkdir", "chmod", "chown", "find", "sort", "ldconfig")
# What the official slim image leaves out, and what needs a display.
LEFT_OUT = re.compile(
    r"/(site-packages|tests?|idle_test|__pycache__|config-[^/]*|idlelib|turtledemo|tkinter)/"
    r"|/(_tkinter|_test|_xxtest)[^/]*\.so$|\.a$"
)
PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
NOTHING = "#!/bin/sh\nexit 0\n"
ARCHITECTURE = "#!/bin/sh\necho amd64\n"
COPY_TINI = """#!/bin/sh
while [ "$#" -gt 1 ]; do [ "$1" = -o ] && target=$2; shift; done
exec cp /usr/libexec/tini "$target"
"""
PIP = """#!/usr/local/bin/python
import sys
from pip._internal.cli.main import main
sys.exit(main())
"""


@dataclass(frozen=True)
class Asked:
    """What a Dockerfile of Cog's asks for: three images, the Python in one of them, the SDK."""

    syntax: str
    base: str
    uv: str
    python: str
    cog: str

    @classmethod
    def by(cls, dockerfile: str) -> "Asked":
        def named(pattern: str) -> str:
            found = re.search(pattern, dockerfile, re.MULTILINE)
            assert found, f"Cog's Dockerfile has changed, nothing is like {pattern}:\n{dockerfile}"
            return found[1]

        return cls(
            syntax=named(r"^#syntax=(\S+)"),
            base=named(r"^FROM (\S+)"),
            uv=named(r"--from=(\S+/uv:\S+)"),
            python=named(r"^FROM python:(\d+\.\d+)"),
            cog=named(r"install \S+ (cog==\S+)"),
        )


def download(asked: Asked, wheels: Path) -> None:
    """Fetch as wheels what both images install, since builds are given no package index."""
    python = script("python", asked.python)
    pip = [python, "-m", "pip", "download", "--quiet", "--only-binary=:all:", f"--dest={wheels}"]
    run(*pip, f"--requirement={PROJECT / 'requirements.txt'}", asked.cog, "pip")
    run(*pip, "--no-deps", f"--requirement={PROJECT / 'api' / 'requirements.txt'}")
    uv = asked.uv.rpartition(":")[2]
    run(*pip, "--no-deps", f"uv=={uv}")


@contextmanager
def served(directory: Path, host: str) -> Iterator[str]:
    """Serve a directory over HTTP while the block runs; yields its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer((host, 0), partial(Quiet, directory=str(directory))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{host}:{server.server_port}/"
        server.shutdown()


def make_frontend(name: str) -> None:
    """BuildKit reads a Dockerfile with a program from the image that its `#syntax` line names."""
    layer = Layer()
    layer.add(Path(script("go-tool", FRONTEND, CGO_ENABLED="0")), "bin/dockerfile-frontend")
    layer.to_image(
        name,
        'ENTRYPOINT ["/bin/dockerfile-frontend"]',
        'LABEL moby.buildkit.frontend.network.none="true"',
        "LABEL moby.buildkit.frontend.caps="
        '"moby.buildkit.frontend.inputs,moby.buildkit.frontend.contexts"',
    )


def make_uv(name: str, wheels: Path) -> None:
    layer = Layer()
    with zipfile.ZipFile(next(wheels.glob("uv-*.whl"))) as wheel:
        for entry in wheel.namelist():
            if entry.endswith(("/scripts/uv", "/scripts/uvx")):
                layer.write(Path(entry).name, wheel.read(entry), mode=0o755)
    layer.to_image(name, 'ENTRYPOINT ["/uv"]')


def make_schema(name: str, schema: str) -> None:
    """An image with nothing but the schema, where Cog's Dockerfile copies it from."""
    layer = Layer()
    layer.write("openapi_schema.json", schema)
    layer.to_image(name, 'CMD ["none"]')


def make_slim_python(asked: Asked, wheels: Path, index: str) -> None:
    """A local Python, the few commands that Cog's Dockerfile runs, and no compiler.

    `index` is the address at which the build finds the wheels.
    """
    layer = Layer()
    for directory in ("etc", "etc/ld.so.conf.d", "root", "sbin"):
        layer.directory(directory)
    layer.directory("tmp", mode=0o1777)
    layer.write("etc/passwd", PASSWD)
    layer.write("etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n")
    _add_python(layer, asked.python)
    _add_commands(layer)
    _add_pip(layer, asked.python, wheels, index)
    path = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
    layer.to_image(asked.base, f"ENV PATH={path}", 'CMD ["python3"]')


def _add_python(layer: Layer, version: str) -> None:
    where = (
        "import json, os, sys, sysconfig;"
        "print(json.dumps([os.path.realpath(sys.executable), sysconfig.get_path('stdlib')]))"
    )
    program, library = map(Path, json.loads(run(script("python", version), "-c", where)))
    layer.add(program, f"usr/local/bin/python{version}")
    for link in ("python", "python3"):
        layer.link(f"usr/local/bin/{link}", f"python{version}")
    files = {path: f"/{path.relative_to(library)}" for path in library.rglob("*")}
    kept = {path for path, name in files.items() if path.is_file() and not LEFT_OUT.search(name)}
    for path in sorted(kept):
        layer.add(path, f"usr/local/lib/python{version}{files[path]}")
    layer.add_libraries_of([program, *(path for path in kept if path.suffix == ".so")])


def _add_commands(layer: Layer) -> None:
    programs = [_program(command) for command in COMMANDS]
    for program in programs:
        layer.add(program, f"bin/{program.name}")
    layer.add_libraries_of(programs)
    layer.add(_program("tini-static", "docker-init"), "usr/libexec/tini")
    for name, text in (("apt-get", NOTHING), ("dpkg", ARCHITECTURE), ("curl", COPY_TINI)):
        layer.write(f"usr/bin/{name}", text, mode=0o755)


def _add_pip(layer: Layer, version: str, wheels: Path, index: str) -> None:
    with zipfile.ZipFile(next(wheels.glob("pip-*.whl"))) as wheel:
        for entry in wheel.namelist():
            name = f"usr/local/lib/python{version}/site-packages/{entry}"
            layer.write(name, wheel.read(entry))
        # Cog's server needs authorities for --upload-url, even to a plain http address.
        authorities = wheel.read("pip/_vendor/certifi/cacert.pem")
        layer.write("etc/ssl/certs/ca-certificates.crt", authorities)
    layer.write("usr/local/bin/pip", PIP, mode=0o755)
    host = index.removeprefix("http://").partition(":")[0]
    layer.write(
        "etc/pip.conf",
        f"[global]\nno-index = true\nfind-links = {index}\ntrusted-host = {host}\n",
    )
    layer.write("etc/uv/uv.toml", f'no-index = true\nfind-links = ["{index}"]\n')


def _program(*names: str) -> Path:
    for name in names:
        if found := shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin"):
            return Path(found)
    raise AssertionError(f"The stand-in for the slim image needs {' or '.join(names)}: not here.")
