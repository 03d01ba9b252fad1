"""Every address that belongs to the page."""

from fastapi import APIRouter

from api.playground import overview, page, predictions, session, thumbnails

router = APIRouter(include_in_schema=False)
for part in (page, session, predictions, overview, thumbnails):
    router.include_router(part.router)
