"""What was asked, on whose account: a failure of the upstream is explained by it."""

from dataclasses import dataclass

from gpt_image.request import ImageRequest
from gpt_image.upstream.door import Door


@dataclass(frozen=True)
class Asked:
    """One request to the upstream."""

    request: ImageRequest
    credential: str
    """What the operator or caller calls the key in use, as in "openai_api_key"."""
    door: Door
    """Through which the upstream's words go."""

    @property
    def model(self) -> str:
        """Its name as sent upstream."""
        return self.request.model
