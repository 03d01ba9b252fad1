"""Pictures: the prompt as a poster, inputs composed into an edit, files in three formats."""

from sandbox.drawing.files import encode
from sandbox.drawing.picture import draw

__all__ = ["draw", "encode"]
