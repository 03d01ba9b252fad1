"""The settings as they stand in the environment."""

import re

from pydantic import ValidationError
from pydantic_settings import SettingsError

from api.settings import PREFIX, BadSettings, Settings


def read_settings() -> Settings:
    """The settings of the environment.

    Raises:
        BadSettings: a value is wrong.
    """
    try:
        return Settings()
    except SettingsError as error:  # its text names the field alone
        field = re.search(r'field "(\w+)"', str(error))
        named = _variable((field[1],)) if field else "A variable"
        raise BadSettings(f"{named} must be JSON, as docs/api.md shows it.") from None
    except ValidationError as error:
        problems = "; ".join(
            f"{_variable(problem['loc'])}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_input=False, include_context=False)
        )
        raise BadSettings(f"Correct these settings and start again: {problems}.") from None


def _variable(place: tuple[int | str, ...]) -> str:
    name = str(place[0]).upper() if place else "the environment"
    return name if name.startswith(PREFIX) or name == "PORT" else PREFIX + name
