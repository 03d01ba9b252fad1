"""The process that decodes and encodes a picture: a fault of a decoder ends this and no more.

python -m api.scaling '["SOURCE", "TARGET", [WIDTH, HEIGHT], "JPEG", QUALITY]'
"""

import json
import resource
import sys

from PIL import Image, ImageOps

_MEMORY = 1 << 30  # bytes; 3840x3840 from 2880x2880 takes a fifth of it
_MOST_PIXELS = 3840 * 3840
_FORMATS = ("PNG", "JPEG", "WEBP")


def main(source: str, target: str, size: list[int], kind: str, quality: int) -> None:
    """Scale one picture."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS // 2  # Pillow refuses the double
    with Image.open(source, formats=_FORMATS) as picture:
        # Without a palette, since colours between those of a palette are none of its own.
        plain = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        scaled = ImageOps.fit(plain, (size[0], size[1]), Image.Resampling.LANCZOS)
        if kind == "JPEG":
            scaled = scaled.convert("RGB")
        options = {} if kind == "PNG" else {"quality": quality}
        scaled.save(target, kind, icc_profile=picture.info.get("icc_profile"), **options)


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
