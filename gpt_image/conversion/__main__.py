"""The process that decodes and encodes pixels.

Decoders are C code that is fed by strangers. In the process of the predictor a crash would end
every running prediction, since Cog does not restart its worker, and OpenJPEG would stop the event
loop for as long as it decodes. Out here a decoder sees no key, its memory has a limit and is given
back, and a cancelled prediction ends it at once.

    python -m gpt_image.conversion TASK SOURCE [ARGUMENT ...]

prints one JSON object: a `report`, the name of a `failure` of the image, or an `errno` that the
machine gave.
"""

import contextlib
import errno
import json
import os
import resource
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gpt_image.conversion.reports import (
    MEMORY_LIMIT,
    NotConverted,
    OverlayKind,
    Task,
    TooMuchMemory,
)
from gpt_image.image_limits import MAX_PIXELS


def main(task: str, *arguments: str) -> None:
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a decoder prints does not mix with the answer
    memory = _limit_memory()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(10)  # the event loop goes first
    with contextlib.suppress(OSError):  # where memory runs out, this goes and the predictor stays
        Path("/proc/self/oom_score_adj").write_text("1000")
    with answer:
        json.dump(_outcome(Task(task), arguments, memory), answer)


def _limit_memory() -> int:
    """Set MEMORY_LIMIT, or keep a lower limit that the machine's owner has set."""
    _, allowed = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY_LIMIT if allowed == resource.RLIM_INFINITY else min(allowed, MEMORY_LIMIT)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return limit


def _outcome(task: Task, arguments: tuple[str, ...], memory: int) -> dict[str, Any]:
    try:
        return {"report": _work(task, *arguments)}
    except NotConverted as failure:
        return {"failure": type(failure).__name__}
    except MemoryError:
        # Linux hands out more memory than there is, so the limit is what was met.
        if memory == MEMORY_LIMIT:
            return {"failure": TooMuchMemory.__name__}
        return {"errno": errno.ENOMEM}
    except OSError as error:
        return {"errno": error.errno or errno.EIO}


def _work(task: Task, source: str, *rest: str) -> object:
    # Imported here, because an import can be what the machine has no memory for.
    from PIL import AvifImagePlugin, Image

    from gpt_image.conversion import outputs, overlays, uploads

    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow warns above it and refuses at the double
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    match task, rest:
        case Task.PREPARE, (target,):
            return asdict(uploads.prepare(Path(source), Path(target)))
        case Task.CHECK_END, (target,):
            return asdict(uploads.check_end(Path(source), Path(target)))
        case Task.LAY_OVER, (kind, first, scratch, most_bytes):
            paths = Path(source), Path(first), Path(scratch)
            return asdict(overlays.lay_over(OverlayKind(kind), *paths, int(most_bytes)))
        case Task.FINISH, (target, promised, quality):
            return asdict(outputs.finish(Path(source), Path(target), promised, int(quality)))
        case Task.FIND_ALPHA, ():
            return outputs.has_transparency(Path(source))
        case _:
            raise TypeError(f"{task} does not take {len(rest)} arguments")


if __name__ == "__main__":
    main(*sys.argv[1:])
