"""A Cog server beside this process, as the operator describes it."""

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from api.setting_kinds import HttpUrl, ModelName


class CogSettings(BaseModel):
    """What API_COG_... say of the first one, and API_MORE_COGS of each of the others."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: HttpUrl
    model: ModelName
    slots: int = Field(default=32, ge=1, le=1000)
    command: str | None = None
    output_directory: Path | None = None
    worker: str = Field(default="", max_length=64)
    """Who owns what was sent there; the same after a restart."""

    def owned_by(self, worker: str) -> Self:
        """The same, with a name made from that of the process's worker."""
        name = f"{worker[:40]}@{urlsplit(self.url).netloc[:23]}"
        return self if self.worker else self.model_copy(update={"worker": name})
