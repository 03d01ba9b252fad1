"""What a finished prediction gives -> files on disk and lines to read."""

import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from PIL import Image

from dev.data_uris import decoded
from dev.prediction import State
from dev.save import without_prefix
from dev.servers import PROJECT

# Not output/: `cog run` saves to a file or folder of that name, and refuses one that is there.
PICTURES = PROJECT / "pictures"


def default_destination() -> Path:
    """A path under pictures/ that no earlier prediction used: a real picture was paid for."""
    return PICTURES / f"{datetime.now():%Y-%m-%d-%H%M%S-%f}"


def check_destination(path: Path) -> Path:
    """`path`, or `output` in it where it is a folder, as with `cog predict -o`.

    Raises:
        ValueError: nothing can be written there; asked before money is spent.
    """
    path = path.expanduser()
    target = path / "output" if path.is_dir() else path
    probe = target.parent / f".{target.name}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(f"Cannot write to {target.parent}: {error.strerror}.") from None
    return target


def save(outputs: Sequence[str], destination: Path) -> Iterator[tuple[Path, bytes]]:
    """Write data URIs as NAME.0.webp, NAME.1.webp ...; an extension given in NAME is kept.

    Raises:
        ValueError: an output is not a data URI.
    """
    for index, output in enumerate(outputs):
        try:
            content, suffix = decoded(output)
        except ValueError as error:
            raise ValueError(f"Output {index} cannot be saved: {error}.") from None
        path = destination.with_name(f"{destination.stem}.{index}{destination.suffix or suffix}")
        path.write_bytes(content)
        yield path, content


def describe(path: Path, content: bytes) -> str:
    """`pictures/x.0.webp  1024 x 1024, 61 KB`."""
    with Image.open(io.BytesIO(content)) as image:
        width, height = image.size
    return f"{shown(path)}  {width} x {height}, {max(1, round(len(content) / 1000))} KB"


def shown(path: Path) -> Path:
    """`path` from the working directory where it lies below it, else in full."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def metric_lines(state: State) -> Iterator[str]:
    """One line for each metric, with the cost last; seconds and dollars are named as such."""
    metrics = dict(state.get("metrics") or {})
    cost = metrics.pop("cost_usd", None)
    for name, value in sorted(metrics.items()):
        unit = " s" if name.endswith("_time") else ""
        yield f"{name:<26}{round(value, 3) if isinstance(value, float) else value}{unit}"
    if cost is not None:
        yield f"{'cost_usd':<26}${cost:.6f}"


def failure(state: State) -> str:
    """The sentence for people in a failed prediction's `error`, without Cog's prefixes."""
    text = str(state.get("error") or f"The prediction ended as {state['status']}.")
    return re.sub(r"^[A-Z]\w+: ", "", without_prefix(text))
