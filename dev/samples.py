"""`make samples`: the request files under samples/, the pictures in them, and what they give."""

import io
import json
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
from PIL import Image, ImageDraw, ImageFont

from dev import sample_inputs
from dev.data_uris import decoded, of_file
from dev.servers import EXACT, EXTENDED, PROJECT, predictor_server, sandbox_server

SAMPLES = PROJECT / "samples"
EXTENDED_SAMPLES = SAMPLES / "extended"
INPUTS = SAMPLES / "inputs"

# The example of Replicate's page for the model; its picture is replaced by one of ours.
PLAYLIST = (
    "A photo of a computer screen displaying a Spotify playlist in golden hour evening in a living "
    "room with lots of green plants in the background. The playlist says GPT-image-2. caption is "
    '"this new image model from OpenAI is dope." and the artists are Replicate. the songs are '
    "themes about open source AI and Machine learning. the account name is Replicate. use the "
    "logo for replicate as the profile picture and artist image."
)

# Each file's inputs; pictures by their names in samples/inputs.
REQUESTS: dict[str, dict[str, Any]] = {
    "text-to-image": {
        "prompt": "Harbour festival: a screen-printed poster with paper boats and lanterns",
        "aspect_ratio": "3:2",
        "quality": "medium",
    },
    "edit-one-image": {
        "prompt": "Set this mug on a wooden breakfast table in morning light",
        "input_images": ["mug.png"],
        "aspect_ratio": "1:1",
    },
    "compose-three-images": {
        "prompt": "A cosy reading corner with this armchair, this lamp and this rug",
        "input_images": ["armchair.png", "lamp.webp", "rug.jpg"],
        "aspect_ratio": "3:2",
        "quality": "high",
    },
    "transparent-sticker": {
        "prompt": "A die-cut sticker of a sleepy red panda, bold outline",
        "background": "transparent",
        "output_format": "png",
    },
    "4k-landscape": {
        "prompt": "Alpine lake at first light, wide and calm",
        "aspect_ratio": "3840x2160",
        "quality": "low",
    },
    "four-variants": {
        "prompt": "Book cover: The Cartographer's Daughter, a novel",
        "aspect_ratio": "2:3",
        "number_of_images": 4,
    },
    "small-jpeg": {
        "prompt": "Street market in the rain, umbrellas from above",
        "output_format": "jpeg",
        "output_compression": 40,
    },
    "portrait-auto": {
        "prompt": "Portrait of a lighthouse keeper, oil on canvas",
        "aspect_ratio": "auto",
        "moderation": "low",
        "user_id": "sample-user",
    },
    "spotify-playlist": {
        "prompt": PLAYLIST,
        "quality": "auto",
        "background": "auto",
        "moderation": "auto",
        "aspect_ratio": "3:2",
        "input_images": ["logo.jpg"],
        "output_format": "webp",
        "number_of_images": 1,
        "output_compression": 90,
    },
}

# For the extended model.
EXTENDED_REQUESTS: dict[str, dict[str, Any]] = {
    "masked-edit": {
        "prompt": "Print a small harbour at sunset on the mug",
        "input_images": ["mug.png"],
        "mask": "mug-mask.png",
        "size": "1024x1024",
        "output_format": "png",
    },
    "free-size": {
        "prompt": "Banner for a night market, lanterns in a row",
        "model": "gpt-image-2.5-flare",
        "size": "1920x640",
        "quality": "xhigh",
    },
    "svg-drawing": {
        "prompt": "Logo of a mountain railway, green hills and a yellow sun",
        "model": "gpt-image-2.6-sunburst",
        "size": "1280x800",
        "output_format": "svg",
        "complexity": "low",
    },
}

FILES = ((SAMPLES, REQUESTS), (EXTENDED_SAMPLES, EXTENDED_REQUESTS))

_CELL = 360  # pixels
_GAP = 24
_GUTTER = 8  # between the pictures of one request
_COLUMNS = 3
_CAPTION = 40
_PAPER, _INK = "#f4f1ea", "#33312c"


def main() -> None:
    sample_inputs.draw(INPUTS)
    for folder, requests_of in FILES:
        folder.mkdir(exist_ok=True)
        for name, inputs in requests_of.items():
            text = json.dumps(with_data_uris(inputs), indent=2) + "\n"
            (folder / f"{name}.json").write_text(text)
    sheet = contact_sheet(pictures())
    sheet.save(SAMPLES / "contact-sheet.webp", quality=82, method=6)


def with_data_uris(inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs as they stand in the request file."""
    images = [of_file(INPUTS / name) for name in inputs.get("input_images", [])]
    files: dict[str, Any] = {"input_images": images} if images else {}
    if "mask" in inputs:
        files["mask"] = of_file(INPUTS / inputs["mask"])
    return inputs | files


def pictures() -> dict[str, list[Image.Image]]:
    """What each request file gives, from the predictors and the sandbox."""
    with sandbox_server() as sandbox:
        return {
            name: images
            for contract, (folder, names) in zip((EXACT, EXTENDED), FILES, strict=True)
            for name, images in _pictures_of(contract, sandbox.url, folder, list(names)).items()
        }


def _pictures_of(
    contract: str, upstream: str, folder: Path, names: list[str]
) -> dict[str, list[Image.Image]]:
    with (
        predictor_server(contract=contract, OPENAI_PROXY_URL=upstream) as server,
        ThreadPoolExecutor(4) as pool,
    ):

        def predict(name: str) -> list[Image.Image]:
            body = {"input": json.loads((folder / f"{name}.json").read_text())}
            answer = requests.post(f"{server.url}/predictions", json=body, timeout=60).json()
            return [_decoded(uri) for uri in answer["output"]]

        return dict(zip(names, pool.map(predict, names), strict=True))


def contact_sheet(made: dict[str, list[Image.Image]]) -> Image.Image:
    """All pictures in a grid, each above the name of its request file."""
    rows = -(-len(made) // _COLUMNS)
    width = _GAP + _COLUMNS * (_CELL + _GAP)
    sheet = Image.new("RGB", (width, _GAP + rows * (_CELL + _CAPTION + _GAP)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(20)
    for index, (name, images) in enumerate(made.items()):
        x = _GAP + index % _COLUMNS * (_CELL + _GAP)
        y = _GAP + index // _COLUMNS * (_CELL + _CAPTION + _GAP)
        cell = _fitted(images)
        sheet.paste(cell, (x, y), cell)
        draw.text((x + _CELL / 2, y + _CELL + 22), f"{name}.json", _INK, font, anchor="mm")
    return sheet


def _fitted(images: list[Image.Image]) -> Image.Image:
    """One picture, or several side by side, centred in a square cell; alpha on a checkerboard."""
    cell = Image.new("RGBA", (_CELL, _CELL))
    across = 1 if len(images) == 1 else 2
    down = -(-len(images) // across)
    room = (_CELL - _GUTTER * (across - 1)) // across
    for index, image in enumerate(images):
        small = image.convert("RGBA")
        small.thumbnail((room, room), Image.Resampling.LANCZOS)
        if image.has_transparency_data:
            small = Image.alpha_composite(_checkerboard(small.size), small)
        row, column = divmod(index, across)
        cell.paste(small, (_start(small.width, column, across), _start(small.height, row, down)))
    return cell


def _start(length: int, index: int, count: int) -> int:
    """Where number `index` of `count` equal lengths begins, all of them centred in a cell."""
    pitch = length + _GUTTER
    return (_CELL - count * pitch + _GUTTER) // 2 + index * pitch


def _checkerboard(size: tuple[int, int]) -> Image.Image:
    tile = Image.new("RGBA", (2, 2), "#ffffff")
    tile.putpixel((0, 0), (222, 222, 222, 255))
    tile.putpixel((1, 1), (222, 222, 222, 255))
    board = Image.new("RGBA", (32, 32))
    for x in range(0, 32, 2):
        for y in range(0, 32, 2):
            board.paste(tile, (x, y))
    large = board.resize((board.width * 12, board.height * 12), Image.Resampling.NEAREST)
    return large.crop((0, 0, *size))


def _decoded(uri: str) -> Image.Image:
    content, _ = decoded(uri)
    return _card(content.decode()) if content[:4] == b"<svg" else Image.open(io.BytesIO(content))


def _card(source: str) -> Image.Image:
    """An svg's source as a picture: nothing here can draw one."""
    card = Image.new("RGB", (2 * _CELL, 2 * _CELL), "#ffffff")
    lines = textwrap.wrap(source, 50, drop_whitespace=False)[:28]
    font = ImageFont.load_default(22)
    ImageDraw.Draw(card).multiline_text((24, 24), "\n".join(lines), _INK, font, spacing=2)
    return card


if __name__ == "__main__":
    main()
