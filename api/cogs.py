"""Which Cog servers a process stands beside, and which models they make together."""

from api.cog_settings import CogSettings
from api.settings import Settings


def cogs_of(settings: Settings) -> list[CogSettings]:
    """The Cog servers, each with the worker that owns what was sent there."""
    first = CogSettings(
        url=settings.cog_url,
        model=f"{settings.model_owner}/{settings.model_name}",
        slots=settings.cog_slots,
        command=settings.cog_command,
        output_directory=settings.cog_output_directory,
        worker=settings.worker,
    )
    return [first, *(each.owned_by(settings.worker) for each in settings.more_cogs)]


def models_of(settings: Settings) -> list[str]:
    """The full names of all models; the first is meant where no other is named."""
    return list(dict.fromkeys(each.model for each in cogs_of(settings)))
