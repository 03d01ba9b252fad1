"""The body of an edit: a form with files, which go to the store as they come, or JSON."""

import hashlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from api.body import json_object
from api.dialects.openai.refusals import BadParameter
from api.errors import BadRequest
from api.files.form import Form, Part, form_of
from api.ids import now
from api.parts import Parts
from api.tenants import Tenant

_IMAGE = re.compile(r"image(\[\d*\])?")
_ONE_FILE = ("mask", "markup")
_MOST_IMAGES = 16  # OpenAI's own limit (its reference of images/edits)
_MOST_PARTS = 64  # far more than there are parameters and images
_TEXT_BYTES = 4 * 32_000  # a prompt's 32,000 characters
_NUMBERS = {"n", "output_compression", "partial_images"}
_FLAGS = {"true": True, "false": False}
_ADDRESS_SECONDS = 600.0  # within which the request is accepted or refused


@dataclass(frozen=True)
class EditBody:
    """What an edit asks for, with an address for each of its files."""

    parameters: dict[str, Any]
    digest: bytes
    """Equal for equal edits, whatever stands between the parts of their forms."""


class EditBodies:
    """Reads edits; files are stored under the id of the prediction to come."""

    def __init__(
        self, request: Request, tenant: Tenant, prediction_id: str, origin: str, the: Parts
    ) -> None:
        self._request = request
        self._tenant = tenant
        self._prediction_id = prediction_id
        self._origin = origin
        self._the = the

    @asynccontextmanager
    async def read(self) -> AsyncIterator[EditBody]:
        """The body of the request; JSON counts as in flight until the block ends.

        Raises:
            ApiError: it is broken, too large, or neither form nor JSON.
        """
        if "json" in self._request.headers.get("content-type", ""):
            async with self._the.bodies.read(self._request) as raw:
                yield self._of_json(raw)
            return
        async with form_of(self._request, self._the.settings.body_seconds) as form:
            body = await self._of_form(form)
        yield body

    async def _of_form(self, form: Form) -> EditBody:
        images: list[str] = []
        parameters: dict[str, Any] = {}
        digests: list[tuple[str, str]] = []
        async for part in form.parts():
            if len(digests) == _MOST_PARTS:
                raise BadRequest(f"The form has more than {_MOST_PARTS} parts.")
            if _IMAGE.fullmatch(part.name):
                if len(images) == _MOST_IMAGES:
                    raise _too_many_images()
                images.append(await self._stored(part, digests))
            elif part.name in _ONE_FILE:
                parameters[part.name] = await self._stored(part, digests)
            elif part.filename:
                raise BadParameter(
                    "The form has a file of an unknown name: send images as 'image' or 'image[]'.",
                    part.name[:64],
                    "unknown_parameter",
                )
            else:
                text = await part.text(_TEXT_BYTES)
                digests.append((part.name, text))
                parameters[part.name] = _typed(part.name, text)
        digest = hashlib.sha256(json.dumps(digests).encode()).digest()
        return EditBody(parameters | {"image": images}, digest)

    async def _stored(self, part: Part, digests: list[tuple[str, str]]) -> str:
        digest = hashlib.sha256()

        async def pieces() -> AsyncIterator[bytes]:
            async for piece in part.pieces():
                digest.update(piece)
                yield piece

        file = await self._the.input_files.store(
            pieces(), "input", part.content_type, self._tenant, self._prediction_id
        )
        digests.append((part.name, digest.hexdigest()))
        return self._the.files.address(file, self._origin, now() + _ADDRESS_SECONDS)

    def _of_json(self, raw: bytes) -> EditBody:
        parameters = json_object(raw)
        references = parameters.pop("images", None) or []
        if not isinstance(references, list):
            raise BadParameter("Invalid 'images': it must be a list.", "images", "invalid_type")
        if len(references) > _MOST_IMAGES:
            raise _too_many_images()
        parameters["image"] = [self._address(each, "images") for each in references]
        for name in _ONE_FILE:
            if parameters.get(name) is not None:
                parameters[name] = self._address(parameters[name], name)
        return EditBody(parameters, hashlib.sha256(raw).digest())

    def _address(self, reference: object, param: str) -> str:
        """What an `image_url` or a `file_id` refers to."""
        known = reference if isinstance(reference, dict) else {}
        url, id = known.get("image_url"), known.get("file_id")
        if isinstance(url, str) and id is None:
            return url
        if isinstance(id, str) and url is None:
            return f"{self._origin}/v1/files/{id}"
        raise BadParameter(
            f"Invalid '{param}': each image is an object with either image_url or file_id.", param
        )


def _typed(name: str, text: str) -> object:
    """A form holds nothing but text."""
    if name in _NUMBERS and re.fullmatch(r"-?\d{1,9}", text):
        return int(text)
    return _FLAGS.get(text, text) if name == "stream" else text


def _too_many_images() -> BadParameter:
    return BadParameter(
        f"Invalid 'image': send at most {_MOST_IMAGES} images.", "image", "array_above_max_length"
    )
