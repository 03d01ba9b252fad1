"""Files within inputs and outputs, as rows hold them: `{"$file": ID}`, or `{"$url": ADDRESS}`.

Objects and not strings, so that nothing that a caller or a model writes is taken for one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_FILE, _URL = "$file", "$url"


@dataclass(frozen=True)
class FileReference:
    """A file of ours, by its id."""

    id: str

    def as_json(self) -> dict[str, str]:
        """As rows hold it."""
        return {_FILE: self.id}


@dataclass(frozen=True)
class UrlReference:
    """A caller's http(s) URL, which is fetched before Cog is asked."""

    url: str

    def as_json(self) -> dict[str, str]:
        """As rows hold it."""
        return {_URL: self.url}


Reference = FileReference | UrlReference


def reference(value: object) -> Reference | None:
    """What the value refers to, if anything."""
    if isinstance(value, Mapping) and len(value) == 1:
        if isinstance(id := value.get(_FILE), str):
            return FileReference(id)
        if isinstance(url := value.get(_URL), str):
            return UrlReference(url)
    return None


def references(value: Any, path: str = "") -> Iterator[tuple[str, Reference]]:  # noqa: ANN401 - JSON
    """Every reference within, with its place as in `input_images.0`."""
    if found := reference(value):
        yield path, found
        return
    if isinstance(value, list):
        value = dict(enumerate(value))
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from references(each, f"{path}.{name}" if path else str(name))


def replaced(value: Any, replace: Callable[[Reference], Any]) -> Any:  # noqa: ANN401 - JSON
    """The value with each reference replaced."""
    if found := reference(value):
        return replace(found)
    if isinstance(value, Mapping):
        return {name: replaced(each, replace) for name, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, replace) for each in value]
    return value
