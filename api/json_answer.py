"""An answer in JSON that may hold a picture."""

import orjson
from fastapi.responses import JSONResponse


class JsonAnswer(JSONResponse):
    """Written by orjson: a picture's data: URI takes the standard library a hundred times as long."""

    def render(self, content: object) -> bytes:
        """The bytes."""
        try:
            return orjson.dumps(content)
        except TypeError:  # an integer of more than 64 bits, which an input may hold
            return super().render(content)
