"""Opens an image for a conversion, and tells damage from what the machine lacks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from gpt_image.conversion.reports import Damaged, NotConverted, TooManyPixels


@contextmanager
def decoded(source: Path, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    """The first picture in a file of one of `formats`, its pixels loaded.

    Raises:
        NotConverted: it is damaged or too large.
        MemoryError, OSError: the machine is to blame.
    """
    with blaming_the_image():
        image = _opened(source, formats)
    with image:
        with blaming_the_image():
            image.load()
        yield image


def _opened(source: Path, formats: tuple[str, ...]) -> Image.Image:
    try:
        return Image.open(source, formats=formats)
    except Exception:
        # Pillow passes over a plugin that it has no memory to import, and then knows no such file.
        Image.init()  # where an early plugin raised, the others have not been imported yet
        if any(name not in Image.OPEN for name in formats):
            raise MemoryError from None
        raise


@contextmanager
def blaming_the_image() -> Iterator[None]:
    """Damaged for what is raised inside, unless that tells of the machine."""
    try:
        yield
    except (MemoryError, NotConverted):
        raise
    except Image.DecompressionBombError:
        raise TooManyPixels from None
    except Exception as error:  # damaged bytes lead Pillow to struct.error, SyntaxError, ...
        # Pillow's own OSErrors have no number: they tell of the image, the others of the machine.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise Damaged from None
