"""What is answered to tasks, and how it is written: files go out as they are read."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from api.data_uri import in_base64
from api.dialects.runware.problems import Item, TaskError, error_item
from api.files.files import Files
from api.files.rows import StoredFile


@dataclass(frozen=True)
class Content:
    """A file's content in base64, as the value of a member."""

    file: StoredFile
    is_uri: bool


@dataclass(frozen=True)
class Answer:
    """Items that are ready at the same time."""

    data: Sequence[Item] = ()
    errors: Sequence[Item] = ()
    status: int = 200
    """Of an HTTP answer that holds nothing else."""
    retry_after: int | None = None
    predictions: Sequence[str] = ()
    """Whose first answer this is, by id."""

    def about(self, predictions: Sequence[str]) -> "Answer":
        """The same, as the first answer about those predictions."""
        return replace(self, predictions=predictions)


def refusal(error: TaskError, task: object = None) -> Answer:
    """The answer to a task that is refused."""
    return Answer(
        errors=[error_item(error, task)], status=error.status, retry_after=error.retry_after
    )


@dataclass
class Gathered:
    """All answers to the tasks of one HTTP request."""

    data: list[Item] = field(default_factory=list)
    errors: list[Item] = field(default_factory=list)
    predictions: list[str] = field(default_factory=list)
    status: int = 200
    retry_after: int | None = None

    def add(self, answer: Answer) -> None:
        """One more."""
        if answer.errors and not self.errors:
            self.status, self.retry_after = answer.status, answer.retry_after
        self.data += answer.data
        self.errors += answer.errors
        self.predictions += answer.predictions
        if self.data:
            self.status = 200


async def written(
    data: Sequence[Item], errors: Sequence[Item], files: Files, *, over_http: bool = False
) -> AsyncIterator[bytes]:
    """The JSON object, piece by piece."""
    joint = b"{"
    if data or not errors:
        yield b'{"data":['
        for number, item in enumerate(data):
            if number:
                yield b","
            async for piece in _item(item, files):
                yield piece
        yield b"]"
        joint = b","
    if errors:
        yield joint + b'"errors":' + _json(errors)
        if over_http and not data:  # where @runware/ai-sdk-provider looks
            yield b',"error":' + _json(errors[0])
    yield b"}"


async def _item(item: Item, files: Files) -> AsyncIterator[bytes]:
    contents = {name: each for name, each in item.items() if isinstance(each, Content)}
    plain = {name: each for name, each in item.items() if name not in contents}
    yield _json(plain)[:-1]
    for name, content in contents.items():
        prefix = f"data:{content.file.content_type};base64," if content.is_uri else ""
        yield f',"{name}":"{prefix}'.encode()
        async for piece in in_base64(files.read(content.file)):
            yield piece
        yield b'"'
    yield b"}"


def _json(value: Any) -> bytes:  # noqa: ANN401 - JSON
    return json.dumps(value, separators=(",", ":")).encode()
