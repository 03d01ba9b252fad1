"""What OpenAI's clients read of a prediction that has drawn its pictures. Pure."""

from collections.abc import Mapping
from typing import Any

from api.dialects.openai.parameters import Reply
from api.predictions.prediction import Prediction

_CREDITS = 2_000_000  # of AI/ML API's, for a dollar (its answers)
# Strict clients take no other values in an answer.
_SHOWN = {
    "size": {"1024x1024", "1024x1536", "1536x1024"},
    "quality": {"low", "medium", "high"},
    "background": {"transparent", "opaque"},
    "output_format": {"png", "webp", "jpeg"},
}


def envelope(prediction: Prediction, reply: Reply) -> dict[str, Any]:
    """An answer without its pictures."""
    metrics = prediction.metrics or {}
    known = {name: value for name, value in reply.told.items() if value in _SHOWN[name]}
    return {"created": _ended_at(prediction)} | known | _usage(metrics) | _meta(metrics)


def completed(prediction: Prediction, reply: Reply, *, is_last: bool) -> dict[str, Any]:
    """An event without its picture; the usage of all pictures stands in the last one."""
    kind = "image_edit" if reply.is_edit else "image_generation"
    usage = _usage(prediction.metrics or {}) if is_last else {}
    told = {"type": f"{kind}.completed", "created_at": _ended_at(prediction)}
    return told | dict(reply.told) | usage


def _ended_at(prediction: Prediction) -> int:
    return int(prediction.completed_at or prediction.created_at)


def _usage(metrics: Mapping[str, Any]) -> dict[str, Any]:
    text, image, output = (
        metrics.get(name)
        for name in ("input_text_token_count", "input_image_token_count", "output_token_count")
    )
    if text is None or image is None or output is None:
        return {}
    input = metrics.get("token_input_count", text + image)
    return {
        "usage": {
            "input_tokens": input,
            "input_tokens_details": {"text_tokens": text, "image_tokens": image},
            "output_tokens": output,
            "output_tokens_details": {"text_tokens": 0, "image_tokens": output},
            "total_tokens": input + output,
        }
    }


def _meta(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What AI/ML API tells of the cost."""
    cost = metrics.get("cost_usd")
    if not isinstance(cost, int | float):
        return {}
    return {"meta": {"usage": {"credits_used": round(cost * _CREDITS), "usd_spent": cost}}}
