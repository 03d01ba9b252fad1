"""The imageUUID of each picture, known before it is drawn: clients want it while they poll."""

import hashlib
from uuid import UUID, uuid4


def image_uuid(prediction_id: str, place: int) -> str:
    """That of the picture at `place` among a prediction's; nobody can guess it."""
    digest = hashlib.sha256(f"image {prediction_id} {place}".encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))


def seed(image_uuid: str) -> int:
    """A number that clients want with each picture; the model takes no seed, so it says nothing."""
    return UUID(image_uuid).int % 2**31


def new_uuid() -> str:
    """That of an upload, or of a connection."""
    return str(uuid4())
