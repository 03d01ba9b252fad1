"""A picture from standard input, made small, to standard output: run as a process of its own.

Strangers' files are decoded here, so memory and time are bounded and nothing else is at stake. What
is written is a line with the original's width and height, and then a WebP.
"""

import io
import os
import resource
import sys

from PIL import Image, ImageOps

MOST_PIXELS = 120_000_000  # a phone's 108 megapixels
_MEMORY = 1 << 30  # bytes of address space; those pixels take half of it
_SECONDS = 30  # of processor time
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "TIFF", "BMP")
_NICENESS = 10  # whoever waits for a prediction goes first
_QUALITY = 82


def main() -> int:
    """Shrink to the edge in the first argument; 1 where there are too many pixels."""
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    content = io.BytesIO(sys.stdin.buffer.read())
    Image.MAX_IMAGE_PIXELS = None  # only warns; the bound is ours
    with Image.open(content, formats=_FORMATS) as picture:
        width, height = picture.size
        if width * height > MOST_PIXELS:
            return 1
        edge = int(sys.argv[1])
        picture.draft("RGB", (2 * edge, 2 * edge))
        profile = picture.info.get("icc_profile") if picture.mode in ("RGB", "RGBA") else None
        upright = ImageOps.exif_transpose(picture)
        if upright.size != picture.size:
            width, height = height, width
        small = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    small.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=2.0)
    written = io.BytesIO()
    small.save(written, "WEBP", quality=_QUALITY, icc_profile=profile)
    sys.stdout.buffer.write(f"{width} {height}\n".encode() + written.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
