"""Where things stand on a poster: the art panel, the text, the margins."""

from dataclasses import dataclass

from sandbox.job import Size

_WIDE = 1.2


@dataclass(frozen=True)
class Area:
    """A rectangle in whole pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return (self.width, self.height)


@dataclass(frozen=True)
class Layout:
    """A poster's parts. A framed panel keeps the margin, any other one bleeds off the edges."""

    panel: Area
    text: Area
    margin: int
    framed: bool


def lay_out(size: Size, variant: int, share: float, *, beside: bool = True) -> Layout:
    """Return one of four layouts: framed or bleeding, the panel first or last.

    ``share`` is the part of the long direction that the panel takes. ``beside`` lets the text
    stand beside the panel where the poster is wide; without words it would be an empty column.
    """
    framed, first = variant % 2 == 0, variant % 4 in (0, 3)
    margin = round(min(size) * 0.07)
    if beside and size.width > _WIDE * size.height:
        return _columns(size, margin, share, framed, first)
    return _rows(size, margin, share, framed, first)


def _rows(size: Size, margin: int, share: float, framed: bool, first: bool) -> Layout:
    edge = margin if framed else 0
    # The foot holds the line with the mark, which the panel must not cover when it comes last.
    foot = margin if framed else 0
    tall = round((size.height - edge - foot) * share)
    top = edge if first else size.height - foot - tall
    panel = Area(edge, top, size.width - 2 * edge, tall)
    text_top = panel.top + tall + round(margin * 0.8) if first else margin
    text_bottom = size.height - round(margin * 1.7) if first else top - round(margin * 0.8)
    text = Area(margin, text_top, size.width - 2 * margin, text_bottom - text_top)
    return Layout(panel, text, margin, framed)


def _columns(size: Size, margin: int, share: float, framed: bool, first: bool) -> Layout:
    edge = margin if framed else 0
    wide = round((size.width - 2 * edge) * share)
    left = edge if first else size.width - edge - wide
    panel = Area(left, edge, wide, size.height - 2 * edge)
    text_left = left + wide + margin if first else margin
    text_right = size.width - margin if first else left - margin
    text = Area(text_left, margin, text_right - text_left, size.height - round(margin * 2.7))
    return Layout(panel, text, margin, framed)
