"""Pictures to PNG, JPEG and WebP files."""

import io

from PIL import Image


def encode(image: Image.Image, output_format: str, compression: int) -> bytes:
    """Return the file's bytes. ``compression`` is 0 to 100, by which 100 keeps the most.

    Effort is kept low everywhere, since nobody keeps these files.
    """
    file = io.BytesIO()
    if output_format == "jpeg":
        image.convert("RGB").save(file, "JPEG", quality=max(1, compression))
    elif output_format == "webp":
        image.save(file, "WEBP", quality=compression, method=0, alpha_quality=100)
    else:
        image.save(file, "PNG", compress_level=1)
    return file.getvalue()
