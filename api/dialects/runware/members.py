"""Members of a task, each checked as it is read. null is the same as absent."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from api.dialects.runware.problems import TaskError

_LONGEST_URL = 8000  # characters


class Members:
    """A task's members, by paths such as `inputs.referenceImages`.

    Every method raises TaskError where a member is not what it should be.
    """

    def __init__(self, task: Mapping[str, Any]) -> None:
        self._task = task

    def at(self, *paths: str) -> Any:  # noqa: ANN401 - JSON
        """The first of them that is there."""
        for path in paths:
            found: Any = self._task
            for name in path.split("."):
                found = found.get(name) if isinstance(found, Mapping) else None
            if found is not None:
                return found
        return None

    def uuid(self, path: str) -> str:
        """A UUID of version 4, in its usual form."""
        text = self.text(path, most=100)
        try:
            found = UUID(text)
        except ValueError:
            found = None
        if found is None or found.version != 4:
            raise invalid(path, "must be a UUID of version 4")
        return str(found)

    def text(self, path: str, *, least: int = 1, most: int) -> str:
        """A text of so many characters, which must be there."""
        value = self.at(path)
        if value is None:
            raise missing(path)
        if not isinstance(value, str):
            raise invalid(path, "must be a string")
        if not least <= len(value) <= most:
            raise invalid(path, f"must have {least} to {most} characters")
        return value

    def choice(self, paths: Sequence[str], choices: Sequence[str], default: str) -> str:
        """One of the choices."""
        value = self.at(*paths)
        if value is None:
            return default
        if value not in choices:
            raise invalid(paths[0], f"must be one of {', '.join(choices)}")
        return str(value)

    def whole(
        self, path: str, *, least: int, most: int, step: int = 1, default: int | None = None
    ) -> int | None:
        """A whole number within its bounds."""
        value = self.at(path)
        if value is None:
            return default
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if not isinstance(number, int) or isinstance(number, bool):
            raise invalid(path, "must be a whole number")
        if not least <= number <= most or number % step:
            steps = f", in steps of {step}" if step > 1 else ""
            raise invalid(path, f"must be {least} to {most}{steps}")
        return number

    def flag(self, *paths: str) -> bool:
        """True or false; false where it is absent."""
        value = self.at(*paths)
        if value is not None and not isinstance(value, bool):
            raise invalid(paths[0], "must be true or false")
        return bool(value)

    def url(self, path: str) -> str | None:
        """An http(s) address."""
        value = self.at(path)
        if value is None:
            return None
        is_url = isinstance(value, str) and value.startswith(("http://", "https://"))
        if not is_url or len(value) > _LONGEST_URL:
            raise invalid(path, "must be a URL that begins with http:// or https://")
        return str(value)

    def texts(self, paths: Sequence[str], most: int) -> list[str]:
        """A list of texts, at least one where it is there."""
        value = self.at(*paths)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise invalid(paths[0], "must be an array of strings")
        if not 1 <= len(value) <= most:
            raise invalid(paths[0], f"must have 1 to {most} items")
        return value


def missing(path: str) -> TaskError:
    """The error for a member that must be there."""
    return TaskError(f"missing{_name(path)}", f"{path} is required.", path)


def invalid(path: str, why: str) -> TaskError:
    """The error for a member that is not as it must be; `why` follows its name."""
    return TaskError(f"invalid{_name(path)}", f"{path} {why}.", path)


def _name(path: str) -> str:
    last = path.rpartition(".")[2]
    return last[:1].upper() + last[1:]
