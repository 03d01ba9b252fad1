"""Logs as one JSON object a line, with the prediction's and the tenant's id, to standard error.

What is logged holds no key, no prompt and no address: log ids and fixed words.
"""

import json
import logging
import sys
from datetime import UTC, datetime

_IDS = ("prediction", "tenant")


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in _IDS if hasattr(record, name)}
        if record.exc_info and (fault := record.exc_info[1]):
            line["fault"] = _places(fault)
        return json.dumps(line)


def configure() -> None:
    """Log that way, at INFO."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Alembic tells of each start that nothing is to be done.
    for name in ("alembic", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _places(fault: BaseException) -> list[str]:
    """Kind and places of a fault; its text may repeat values, and an SQL error all of them."""
    places = [type(fault).__name__]
    trace = fault.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places
