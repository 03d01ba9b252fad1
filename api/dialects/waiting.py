"""Waiting for a prediction's end while its caller waits for the answer."""

import asyncio

from fastapi import Request

from api.parts import Parts
from api.predictions.prediction import Prediction


async def ended_or_hung_up(
    prediction: Prediction, seconds: float, request: Request, the: Parts
) -> tuple[Prediction, bool]:
    """The prediction when it has ended or the time is over, and whether its caller has gone."""
    ended = asyncio.ensure_future(the.predictions.ended(prediction.id, seconds))
    gone = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait([ended, gone], return_when=asyncio.FIRST_COMPLETED)
        hung_up = not ended.done()
        return (prediction if hung_up else ended.result() or prediction), hung_up
    finally:
        ended.cancel()
        gone.cancel()


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
