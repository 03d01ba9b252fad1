"""Answers that only look like success."""

import io
import json

from PIL import Image

from sandbox import events, outages
from sandbox.answer import Draft, Slot, to_base64
from sandbox.drawing import encode as encode_image
from sandbox.errors import ApiError
from sandbox.markers import Marker
from sandbox.writing import body_of

_EVENT_ERRORS = {
    "image_generation_failed": outages.generation_failed,
    "moderation_blocked": outages.moderation_output,
    "rate_limit_exceeded": outages.rate_limit_message,
    "credit_balance_exhausted": outages.out_of_credit,
}
_OTHER = {"png": "webp", "webp": "png", "jpeg": "png"}


def _chosen(draft: Draft, marker: Marker) -> int:
    """Return the position of the image meant by ``image=K`` (from 1), the last by default."""
    return max(0, min(int(marker.number("image", len(draft.images))), len(draft.images)) - 1)


def _slots(draft: Draft) -> list[Slot]:
    return draft.data or []


def cut_json(draft: Draft, _: Marker) -> None:
    """Break the JSON off after three quarters."""
    body = body_of(draft)
    draft.body = body[: len(body) * 3 // 4]


def _corrupt(slot: Slot) -> None:
    if slot.b64:
        middle = len(slot.b64) // 2
        slot.b64 = slot.b64[:middle] + b"%%%" + slot.b64[middle + 3 :]


def corrupt_one(draft: Draft, marker: Marker) -> None:
    """Put characters that base64 does not have into one image."""
    _corrupt(_slots(draft)[_chosen(draft, marker)])


def corrupt_all(draft: Draft, _: Marker) -> None:
    """Put characters that base64 does not have into every image."""
    for slot in _slots(draft):
        _corrupt(slot)


def cut_image(draft: Draft, marker: Marker) -> None:
    """Send valid base64 of half an image file."""
    index = _chosen(draft, marker)
    image = draft.images[index]
    _slots(draft)[index].b64 = to_base64([image[: len(image) // 2]])[0]


def html_page(draft: Draft, _: Marker) -> None:
    """Send a web page instead of JSON."""
    draft.content_type = "text/html"
    draft.body = b"<!doctype html><title>Welcome</title><p>Please sign in to continue.</p>"


def error_body(draft: Draft, _: Marker) -> None:
    """Send an error with status 200; in a stream as an event."""
    error = outages.generation_failed(_).body()
    draft.body = json.dumps(error).encode()
    if draft.stream:
        draft.body = events.written("error", {"type": "error", **error})


def event_error(draft: Draft, marker: Marker) -> None:
    """Send an error event in place of the images; ``code=`` chooses what it says."""
    code = marker.text("code", "image_generation_failed")
    error = _EVENT_ERRORS.get(code)
    if error is None:
        message = f"[sandbox:{marker.name}] knows the codes {', '.join(_EVENT_ERRORS)}."
        raise ApiError(400, message, code="sandbox_marker")
    draft.body = events.written("error", {"type": "error", **error(marker).body()})


def no_data(draft: Draft, _: Marker) -> None:
    """Send ``null`` for the list of images."""
    draft.data = None


def empty_data(draft: Draft, _: Marker) -> None:
    """Send an empty list of images."""
    draft.data = []


def one_less(draft: Draft, _: Marker) -> None:
    """Leave the last image out."""
    draft.data = _slots(draft)[:-1]


def null_image(draft: Draft, marker: Marker) -> None:
    """Send ``null`` for one image."""
    _slots(draft)[_chosen(draft, marker)].b64 = None


def urls(draft: Draft, _: Marker) -> None:
    """Send links to the images; the service fills them in."""
    _link(draft, "")


def urls_404_once(draft: Draft, _: Marker) -> None:
    """Send links that fail once with 404."""
    _link(draft, "?fail=404&times=1")


def urls_500_once(draft: Draft, _: Marker) -> None:
    """Send links that fail once with 500."""
    _link(draft, "?fail=500&times=1")


def urls_404(draft: Draft, _: Marker) -> None:
    """Send links that never work."""
    _link(draft, "?fail=404")


def urls_redirect(draft: Draft, _: Marker) -> None:
    """Send links that redirect to the image."""
    _link(draft, "?redirect=1")


def _link(draft: Draft, query: str) -> None:
    for slot in _slots(draft):
        slot.url = query


def other_format(draft: Draft, marker: Marker) -> None:
    """Send another format than the one asked for, and say nothing about it."""
    asked = str(draft.envelope["output_format"])
    sent = marker.text("format", _OTHER.get(asked, "png"))
    if sent not in _OTHER:
        message = f"[sandbox:{marker.name}] knows the formats png, webp and jpeg."
        raise ApiError(400, message, code="sandbox_marker")
    opened = [Image.open(io.BytesIO(image)) for image in draft.images]
    draft.images = [encode_image(image, sent, 90) for image in opened]
    draft.data = [Slot(b64=each) for each in to_base64(draft.images)]
