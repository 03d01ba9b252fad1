"""Removing files in the background, when their time is over."""

import asyncio
import logging

from api.files.files import Files

log = logging.getLogger(__name__)

_SECONDS = 30.0
_ORPHANS_EVERY = 120  # rounds


async def keep_sweeping(files: Files) -> None:
    """Until cancelled; a round that fails is made up for by the next."""
    done = 0
    while True:
        try:
            await files.remove_expired()
            if done % _ORPHANS_EVERY == 0:
                await files.remove_orphans()
        except Exception:
            log.exception("Could not remove files whose time is over; will try again.")
        done += 1
        await asyncio.sleep(_SECONDS)
