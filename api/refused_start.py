"""A start that a wrong setting prevents, told as one sentence."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.settings import BadSettings

_FAILED = "lifespan.startup.failed"


class RefusedStart:
    """Gives the server the sentence of BadSettings to log, where Starlette gives it a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything else on."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        traceback: list[Message] = []

        async def hold(message: Message) -> None:
            if message["type"] == _FAILED:
                traceback.append(message)
            else:
                await send(message)

        try:
            await self._app(scope, receive, hold)
        except BadSettings as error:
            await send({"type": _FAILED, "message": str(error)})
        except BaseException:
            for message in traceback:
                await send(message)
            raise
