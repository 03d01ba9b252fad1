"""The files of the page: read once, under addresses that change with what is in them."""

import hashlib
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from api.errors import NotFound
from api.parts import The

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".json": "application/json"}
_SAFE = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}
_PAGE = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def policy(store: str | None) -> str:
    """What the page may do: nothing but talk to its own origin, and to the store's if it has one.

    Args:
        store: where callers reach the store, for pictures come from there then.
    """
    pictures = f"'self' {store}" if store else "'self'"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src {pictures} data: blob:",
            f"connect-src {pictures}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _origin(endpoint: str | None) -> str | None:
    parts = urlsplit(endpoint or "")
    return f"{parts.scheme}://{parts.netloc}" if endpoint else None


def _read() -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(_FOLDER.iterdir()) if file.is_file()}


def _version(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _page(files: dict[str, bytes], version: str) -> bytes:
    # Without these a browser would learn of each module only from the one that imports it.
    modules = "\n".join(
        f'<link rel="modulepreload" href="/playground/static/{version}/{name}">'
        for name in files
        if name.endswith(".js")
    )
    page = Template(files["index.html"].decode())
    return page.substitute(static=f"/playground/static/{version}", modules=modules).encode()


_FILES = _read()
_VERSION = _version(_FILES)
_INDEX = _page(_FILES, _VERSION)


@router.api_route("/", methods=["GET", "HEAD"])
async def index(request: Request, the: The) -> Response:
    """The page itself."""
    etag = f'"{_VERSION}"'
    store = _origin(the.settings.files_public_endpoint)
    headers = _SAFE | _PAGE | {"ETag": etag, "Content-Security-Policy": policy(store)}
    if etag in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    return Response(_INDEX, headers=headers, media_type="text/html")


@router.get("/playground/static/{version}/{name}")
async def static(version: str, name: str) -> Response:
    """A file of the page; of an older version there is none, so that no two are mixed."""
    suffix = Path(name).suffix
    if version != _VERSION or name not in _FILES or suffix not in _TYPES:
        raise NotFound("There is no such file; load the page again.")
    return Response(_FILES[name], headers=_SAFE | _FOR_EVER, media_type=_TYPES[suffix])
