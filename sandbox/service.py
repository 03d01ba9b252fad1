"""The story of one request to an images endpoint."""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from functools import partial

from starlette.types import Receive, Scope, Send

from sandbox import body as bodies
from sandbox import delivery, gateway, rules, tokens
from sandbox.access import check_key
from sandbox.answer import Draft
from sandbox.body import Body
from sandbox.errors import ApiError
from sandbox.exchange import Exchange, PeerGone
from sandbox.fault_plan import Chosen, FaultPlan, refuse_unknown_markers
from sandbox.faults import BEFORE_READ
from sandbox.files import Files
from sandbox.headers import new_request_id
from sandbox.image_limit import ImageLimit
from sandbox.job import Endpoint, Job, Usage
from sandbox.ledger import Entry, Ledger
from sandbox.markers import asked_latency, prompt_number
from sandbox.recorder import Recorder
from sandbox.settings import Settings
from sandbox.studio import Studio

logger = logging.getLogger("sandbox")


@dataclass
class Call:
    """One request on its way through the service."""

    exchange: Exchange
    endpoint: Endpoint
    entry: Entry
    quirks: frozenset[str]
    chosen: Chosen | None = None
    started: float = field(default_factory=time.monotonic)


class Service:
    """Everything that outlives a request."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ledger = Ledger()
        self.recorder = Recorder(settings.record)
        self.files = Files()
        self.limit = ImageLimit(settings)
        self.plan = FaultPlan(settings)
        self.quirks = gateway.check_names(settings.gateway)
        self._studio = Studio(settings)

    async def answer(self, call: Call) -> None:
        """Answer one request, well or as badly as it asks for; raises ``PeerGone``."""
        data = await self._read(call)
        if data is None:
            await call.exchange.connection.reset()
            return
        try:
            body = self._parse(call, data)
            self._note(call, body)
            await self._fulfil(call, body)
        except ApiError as error:
            worded = gateway.change_error(error, call.quirks, call.entry.request_id)
            await delivery.send_error(call.exchange, call.entry, worded, call.started)

    async def _read(self, call: Call) -> bytes | None:
        """Return the body, or ``None`` when the request is to be reset while it is being sent."""
        pieces: list[bytes] = []
        async for piece in call.exchange.chunks():
            if not pieces:
                beginning = piece.decode("utf-8", "replace")
                call.entry.number = prompt_number(beginning)
                call.chosen = call.chosen or self.plan.before_read(beginning)
                if call.chosen is not None and call.chosen.fault.name == BEFORE_READ:
                    call.entry.fault = BEFORE_READ
                    return None
            pieces.append(piece)
        call.entry.receive()
        return b"".join(pieces)

    def _parse(self, call: Call, data: bytes) -> Body:
        """Return the body of a caller with a good key; raises ``ApiError``, the key's first."""
        headers = call.exchange.request.headers
        body = None
        try:
            body = bodies.parse(call.endpoint, headers.get("content-type", ""), data)
        except ApiError:
            check_key(headers.get("authorization"), self.settings)
            raise
        finally:
            self.recorder.add(call.exchange, data, body)
        check_key(headers.get("authorization"), self.settings)
        return body

    def _note(self, call: Call, body: Body) -> None:
        """Take from the prompt what it says to the sandbox; raises ``ApiError`` for a typo."""
        call.entry.number = prompt_number(body.prompt)
        refuse_unknown_markers(body.prompt)
        call.quirks |= gateway.asked_for(body.prompt)
        call.chosen = call.chosen or self.plan.by_marker(body.prompt)
        if call.chosen is not None:
            call.entry.fault = call.chosen.fault.name

    async def _fulfil(self, call: Call, body: Body) -> None:
        job = await self._check(call, body)
        call.entry.n, call.entry.size = job.n, str(job.size)
        authorization = call.exchange.request.headers.get("authorization", "")
        self.limit.count(authorization, job.n + len(job.input_sizes))
        usage = tokens.usage_of(job)
        chosen = call.chosen
        if chosen is not None and chosen.fault.refuses:
            if chosen.fault.billed:
                await self._work(call, job, usage)
            return await self._refuse(call, chosen)
        keep_alive = "keep-alive" in call.quirks
        async with delivery.begun(
            call.exchange, call.entry, stream=job.stream, keep_alive=keep_alive
        ):
            draft = await self._work(call, job, usage)
            content = await self._body(call, job, usage, draft)
        return await delivery.send(call.exchange, call.entry, draft, content, chosen, call.started)

    async def _check(self, call: Call, body: Body) -> Job:
        check = partial(
            rules.check,
            call.endpoint,
            body,
            models=self.settings.models,
            refused=gateway.refused_keys(call.quirks, call.endpoint),
            decode=not self.settings.prerendered,
        )
        # Only images take long to check; without them a thread would cost more than it saves.
        has_images = body.images or body.references
        job = await asyncio.to_thread(check) if has_images else check()
        return gateway.change_job(job, call.quirks)

    async def _refuse(self, call: Call, chosen: Chosen) -> None:
        """Answer with the error or the page of the chosen fault."""
        if chosen.fault.error is not None:
            raise chosen.fault.error(chosen.marker)
        if chosen.fault.page is not None:
            await delivery.send_page(call.exchange, call.entry, chosen.fault.page)

    async def _work(self, call: Call, job: Job, usage: Usage) -> Draft:
        """Draw for as long as the latency says, then bill, whoever is still there."""
        ends = time.monotonic() + asked_latency(job.prompt, self.settings.latency)
        draft = await self._studio.draft(job, usage)
        await asyncio.sleep(max(0.0, ends - time.monotonic()))
        call.entry.bill(job.n, usage)
        return draft

    async def _body(self, call: Call, job: Job, usage: Usage, draft: Draft) -> bytes:
        gateway.change_draft(draft, call.quirks)
        if call.chosen is not None and call.chosen.fault.spoil is not None:
            await asyncio.to_thread(call.chosen.fault.spoil, draft, call.chosen.marker)
            if draft.body is not None:
                draft.body = draft.body.replace(b"{request_id}", call.entry.request_id.encode())
        self.files.link(draft, call.exchange.request)
        untouched = call.chosen is None and not call.quirks
        return await self._studio.body(job, usage, draft, untouched=untouched)


class ImagesEndpoint:
    """An ASGI application for one of the two paths."""

    def __init__(self, service: Service, endpoint: Endpoint) -> None:
        self._service = service
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and keep its ledger entry right whatever happens."""
        service = self._service
        exchange = Exchange(scope, receive, send)
        entry = service.ledger.open(new_request_id(), exchange.request.url.path)
        exchange.connection.on_lost = entry.disconnect
        call = Call(exchange, self._endpoint, entry, service.quirks, service.plan.by_rate())
        try:
            await service.answer(call)
        except PeerGone:
            pass
        finally:
            exchange.connection.on_lost = None
            _log(exchange, entry)


def _log(exchange: Exchange, entry: Entry) -> None:
    """Log what was asked and what became of it: never the key, never the prompt."""
    outcome = "connection lost" if entry.disconnected else f"answered {entry.status}"
    fault = f" ({entry.fault})" if entry.fault else ""
    logger.info(
        "%s %s size=%s n=%s: %s%s",
        exchange.request.method,
        entry.path,
        entry.size,
        entry.n,
        outcome,
        fault,
    )
