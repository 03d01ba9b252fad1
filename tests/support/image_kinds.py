"""Every kind of input that people send, made with Pillow, pillow-heif or by hand.

All pictures show the same: red, green, blue and white quarters, from the top left.
"""

import io
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cog
import pillow_heif
from cog.types import URLPath
from PIL import Image, ImageChops, ImageCms

pillow_heif.register_heif_opener()

SIZE = 64, 48
ALPHA = 200
QUARTERS = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)

_ORIENTATION = 0x0112
_TURNED_RIGHT = 6  # stored lying on its left side; to be shown turned by 90 degrees to the right


@dataclass(frozen=True)
class Kind:
    """One kind of input image."""

    title: str
    make: Callable[[Path], object]
    """From an empty folder to one entry of `input_images`, or to the whole list."""
    content_type: str = ""
    """What the upload part must say; empty for a kind that is refused."""

    def __str__(self) -> str:
        return self.title


def picture(mode: str = "RGB") -> Image.Image:
    """The four quarters, SIZE in pixels."""
    image = Image.new("RGB", SIZE)
    half_width, half_height = SIZE[0] // 2, SIZE[1] // 2
    for index, colour in enumerate(QUARTERS):
        left, top = half_width * (index % 2), half_height * (index // 2)
        image.paste(colour, (left, top, left + half_width, top + half_height))
    if mode.endswith("A"):
        image.putalpha(ALPHA)
    return image if image.mode == mode else image.convert(mode)


def encoded(image: Image.Image, image_format: str, **options: object) -> bytes:
    """The bytes of an image file."""
    output = io.BytesIO()
    image.save(output, image_format, **options)
    return output.getvalue()


def stored(content: bytes, name: str = "upload") -> Callable[[Path], cog.Path]:
    """Make an input file of these bytes, under a name that says nothing."""

    def make(folder: Path) -> cog.Path:
        path = folder / name
        path.write_bytes(content)
        return cog.Path(path)

    return make


def png_chunk(name: bytes, data: bytes) -> bytes:
    """One PNG chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(size: tuple[int, int], depth: int, colour: int, rows: bytes, interlace: int = 0) -> bytes:
    """A PNG by hand, for what Pillow does not write; `rows` hold their filter bytes."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlace)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def _png_16_bit(mode: str, colour: int) -> bytes:
    image = picture(mode)
    width, height = image.size
    row = width * len(image.getbands())
    data = image.tobytes()
    doubled = [
        bytes(b for v in data[y * row : (y + 1) * row] for b in (v, v)) for y in range(height)
    ]
    return png(image.size, 16, colour, b"".join(b"\0" + line for line in doubled))


def _png_interlaced() -> bytes:
    image = picture()
    width, height = image.size
    rows = b""
    # Adam7: first column, first row, column step and row step of each pass.
    for x0, y0, dx, dy in (
        *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
        *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
    ):
        for y in range(y0, height, dy):
            line = [image.getpixel((x, y)) for x in range(x0, width, dx)]
            rows += b"\0" + b"".join(bytes(pixel) for pixel in line)  # type: ignore[arg-type]
    return png(image.size, 8, 2, rows, interlace=1)


def _ycck_jpeg() -> bytes:
    """Adobe's inverted YCCK: a CMYK JPEG whose marker says that its channels are YCC and K."""
    luma = ImageChops.invert(picture()).convert("YCbCr").split()
    inverted = [ImageChops.invert(band) for band in luma]
    data = encoded(Image.merge("CMYK", (*inverted, Image.new("L", SIZE))), "JPEG", quality=95)
    marker = data.index(b"Adobe")
    return data[: marker + 11] + b"\2" + data[marker + 12 :]


def _lying() -> Image.Image:
    return picture().transpose(Image.Transpose.ROTATE_90)


def _orientation() -> bytes:
    exif = Image.Exif()
    exif[_ORIENTATION] = _TURNED_RIGHT
    return exif.tobytes()


def _grey_16_bit() -> Image.Image:
    return picture("L").convert("I").point(lambda value: value * 257).convert("I;16")


def _swapped_primaries() -> tuple[Image.Image, bytes]:
    """The picture with red and green swapped, and a profile that swaps them back."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # rXYZ and gXYZ change places in the tag table: red and green trade their meaning.
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    red, green, blue = picture().split()
    return Image.merge("RGB", (green, red, blue)), swapped


def _noise(mode: str, size: tuple[int, int]) -> Image.Image:
    count = size[0] * size[1] * len(mode)
    return Image.frombytes(mode, size, random.Random(0).randbytes(count))


def _over_50_mb(folder: Path) -> cog.Path:
    image = picture().resize((4200, 4200), Image.Resampling.NEAREST)
    return stored(encoded(image, "PNG", compress_level=0))(folder)


def _noise_over_50_mb(folder: Path) -> cog.Path:
    return stored(encoded(_noise("RGB", (4200, 4200)), "BMP"))(folder)


def _wide_noise(folder: Path) -> cog.Path:
    return stored(encoded(_noise("RGBA", (16_600, 800)), "TIFF"))(folder)


def _url(folder: Path) -> URLPath:
    return URLPath(source="http://user:secret@host/a", filename="a", fileobj=io.BytesIO())


_PNG = encoded(picture(), "PNG")
_JPEG = encoded(picture(), "JPEG", quality=95)
_WEBP = encoded(picture(), "WEBP")
_HEIC = encoded(picture(), "HEIF")
_SVG = b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'/>"
_BOMB = png((60_000, 60_000), 8, 2, bytes(1000))
_GIF_BOMB = b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(6) + b"\x2c" + bytes(20) + b"\x3b"


def _animated(image_format: str) -> bytes:
    # Fresh images each time: an image remembers the settings of the encoder that it met last.
    black = Image.new("RGB", SIZE)
    return encoded(picture(), image_format, save_all=True, append_images=[black])


UNTOUCHED = [
    Kind(title, stored(content, name), content_type)
    for title, content, name, content_type in (
        ("PNG", _PNG, "a.png", "image/png"),
        ("PNG called photo.jpg", _PNG, "photo.jpg", "image/png"),
        ("PNG with alpha", encoded(picture("RGBA"), "PNG"), "a", "image/png"),
        ("PNG, palette", encoded(picture("P"), "PNG"), "a", "image/png"),
        ("PNG, greyscale", encoded(picture("L"), "PNG"), "a", "image/png"),
        ("PNG, greyscale with alpha", encoded(picture("LA"), "PNG"), "a", "image/png"),
        ("PNG, black and white (1 bit)", encoded(picture("1"), "PNG"), "a", "image/png"),
        ("PNG, interlaced", _png_interlaced(), "a", "image/png"),
        ("PNG with other bytes after its end", _PNG + bytes(500), "a", "image/png"),
        ("JPEG", _JPEG, "a.jpg", "image/jpeg"),
        ("JPEG called photo.png", _JPEG, "photo.png", "image/jpeg"),
        ("JPEG, progressive", encoded(picture(), "JPEG", progressive=True), "a", "image/jpeg"),
        ("JPEG, greyscale", encoded(picture("L"), "JPEG"), "a", "image/jpeg"),
        (
            "JPEG, rotated by EXIF",
            encoded(_lying(), "JPEG", exif=_orientation()),
            "a",
            "image/jpeg",
        ),
        (
            "JPEG with a video after its end (motion photo)",
            _JPEG + bytes(80_000),
            "a",
            "image/jpeg",
        ),
        ("WebP", _WEBP, "a.webp", "image/webp"),
        ("WebP, lossless", encoded(picture(), "WEBP", lossless=True), "a", "image/webp"),
        ("WebP with alpha", encoded(picture("RGBA"), "WEBP"), "a", "image/webp"),
    )
]

CHANGED = [
    Kind(title, stored(content), content_type)
    for title, content, content_type in (
        ("PNG, 16-bit", _png_16_bit("RGB", 2), "image/png"),
        ("PNG, 16-bit greyscale", _png_16_bit("L", 0), "image/png"),
        ("APNG", _animated("PNG"), "image/png"),
        ("JPEG, CMYK", encoded(picture("CMYK"), "JPEG", quality=95), "image/png"),
        ("JPEG, YCCK", _ycck_jpeg(), "image/png"),
        ("JPEG, several pictures (MPO, phone HDR)", _animated("MPO"), "image/png"),
        ("JPEG that lacks only its end mark", _JPEG[:-2], "image/jpeg"),
        ("WebP, animated", _animated("WEBP"), "image/png"),
        ("HEIC", _HEIC, "image/png"),
        ("HEIC with alpha", encoded(picture("RGBA"), "HEIF"), "image/png"),
        ("HEIC, rotated", encoded(_lying(), "HEIF", exif=_orientation()), "image/png"),
        ("AVIF", encoded(picture(), "AVIF"), "image/png"),
        ("AVIF, rotated", encoded(_lying(), "AVIF", exif=_orientation()), "image/png"),
        ("GIF", encoded(picture("P"), "GIF"), "image/png"),
        ("GIF, animated", _animated("GIF"), "image/png"),
        ("TIFF", encoded(picture(), "TIFF", compression="tiff_lzw"), "image/png"),
        ("TIFF, several pages", _animated("TIFF"), "image/png"),
        ("TIFF, rotated", encoded(_lying(), "TIFF", exif=_orientation()), "image/png"),
        ("TIFF, CMYK", encoded(picture("CMYK"), "TIFF"), "image/png"),
        ("TIFF, 16-bit greyscale", encoded(_grey_16_bit(), "TIFF"), "image/png"),
        ("TIFF, 32-bit floating point", encoded(picture("L").convert("F"), "TIFF"), "image/png"),
        (
            "TIFF with a colour profile",
            encoded(_swapped_primaries()[0], "TIFF", icc_profile=_swapped_primaries()[1]),
            "image/png",
        ),
        ("BMP", encoded(picture(), "BMP"), "image/png"),
        ("JPEG 2000", encoded(picture(), "JPEG2000"), "image/png"),
        ("JPEG 2000, bare codestream", encoded(picture(), "JPEG2000", no_jp2=True), "image/png"),
        ("ICO", encoded(picture().resize((64, 64)), "ICO", sizes=[(64, 64)]), "image/png"),
    )
]

LARGE = [
    Kind("PNG over 50 MB that compresses well", _over_50_mb, "image/png"),
    Kind("BMP over 50 MB that does not compress", _noise_over_50_mb, "image/jpeg"),
    Kind("TIFF over 50 MB with alpha, wider than WebP allows", _wide_noise, "image/webp"),
]

REFUSED = [
    *(
        Kind(title, stored(content))
        for title, content in (
            ("empty file", b""),
            ("text", b"not an image, whatever its name says"),
            ("SVG", _SVG),
            ("PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
            ("web page", b"<!DOCTYPE html>\n<title>Sign in</title>"),
            ("MP4 video", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100)),
            ("PNG, cut short", _PNG[:-20]),
            ("JPEG, cut short", _JPEG[: len(_JPEG) * 3 // 4]),
            ("WebP, cut short", _WEBP[:-20]),
            ("HEIC, cut short", _HEIC[:-20]),
            ("TIFF, cut short", encoded(picture(), "TIFF")[:200]),
            ("PNG of 60,000 x 60,000 pixels (a pixel bomb)", _BOMB),
            ("GIF of 65,535 x 65,535 pixels (a pixel bomb)", _GIF_BOMB),
        )
    ),
    Kind("path of the host, as a string", lambda folder: "/etc/hostname"),
    Kind("file: URL", lambda folder: "file:///etc/hostname"),
    Kind("URL in capitals, which Cog does not fetch", lambda folder: "HTTP://host/a.png"),
    Kind("URL that Cog did not convert", _url),
    Kind("folder", cog.Path),
    Kind("file that is gone", lambda folder: cog.Path(folder / "gone")),
]

LISTS = [
    Kind("17 images", lambda folder: [stored(_PNG)(folder)] * 17),
    Kind("URL and string in one list", lambda folder: [_url(folder), "/etc/hostname"]),
]

EVERY_KIND = [*UNTOUCHED, *CHANGED, *LARGE, *REFUSED, *LISTS]
