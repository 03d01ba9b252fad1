"""Pictures: the prompt as a poster, inputs composed into an edit, files in five formats."""

from sandbox.drawing.files import encode
from sandbox.drawing.gif import encode_gif
from sandbox.drawing.partial import unfinished
from sandbox.drawing.picture import draw
from sandbox.drawing.vector import draw_svg

__all__ = ["draw", "draw_svg", "encode", "encode_gif", "unfinished"]
