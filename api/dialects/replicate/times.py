"""Times as Replicate writes them."""

from datetime import UTC, datetime


def iso(seconds: float) -> str:
    """Seconds since the epoch as ISO 8601 with milliseconds, in UTC."""
    written = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")
