"""The models endpoint: what exists here, one card each."""

from sandbox.errors import model_not_found
from sandbox.models import model_of


def cards(models: tuple[str, ...]) -> dict[str, object]:
    """Return the list of models."""
    return {"object": "list", "data": [_card(name) for name in models]}


def card(name: str, models: tuple[str, ...]) -> dict[str, object]:
    """Return one model's card; raises ``ApiError`` where the list lacks it."""
    if name not in models:
        raise model_not_found(name)
    return _card(name)


def _card(name: str) -> dict[str, object]:
    return {
        "id": name,
        "object": "model",
        "created": model_of(name).created,
        "owned_by": "system",
        "shutdown_date": None,
    }
