"""Accepting: what a dialect has made of a request becomes a stored prediction."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.errors import ApiError
from api.ids import new_id, now
from api.models import Model
from api.parts import Parts
from api.predictions.acceptance import Accepted, AcceptedGroup
from api.predictions.accounts import has_own_account
from api.predictions.prediction import NewPrediction
from api.tenants import Tenant
from api.weight import check_fits, weight_of

log = logging.getLogger(__name__)

REDACTED = "[REDACTED]"


@dataclass(frozen=True)
class Asked:
    """What a caller asks for, whatever the dialect; nothing of it is checked or stored yet."""

    tenant: Tenant
    model: Model
    input: Mapping[str, Any]
    """By the model's own names; files as addresses or data: URIs."""
    origin: str
    """Scheme, host and port by which the caller addressed the API."""
    request_hash: str
    """Equal for equal requests of one token."""
    hung_up: Callable[[], Awaitable[bool]]
    """Whether the caller has gone."""
    began_at: float = field(default_factory=now)
    """When the request came."""
    says_it_repeats: bool = False
    id: str = field(default_factory=new_id)
    """Of the prediction, under which files may be stored already."""
    deployment: str | None = None
    seconds: float | None = None
    """How long after its creation the caller wants it ended at the latest."""
    webhook: str | None = None
    webhook_events: tuple[str, ...] = ()
    caller_id: str | None = None
    group_id: str | None = None
    dialect: str | None = None
    dialect_data: Mapping[str, Any] | None = None
    """What the dialect must know for its answers."""
    upload_url: str | None = None


async def accept(asked: Asked, the: Parts) -> Accepted:
    """Check it, store it and queue it; or find the prediction that this request repeats.

    Tell `the.predictions.answers` afterwards what became of the answer.

    Raises:
        ApiError: it is refused; nothing of it is kept, nor any file under its id.
    """
    try:
        async with the.predictions.turn_of(asked.request_hash):
            accepted = await the.predictions.accept(
                await _checked(asked, the),
                asked.tenant,
                began_at=asked.began_at,
                says_it_repeats=asked.says_it_repeats,
                hung_up=asked.hung_up,
            )
    except ApiError:
        await the.input_files.forget(asked.id)
        raise
    if not accepted.is_new:
        await the.input_files.forget(asked.id)
    return accepted


async def accept_group(asked: Sequence[Asked], the: Parts) -> AcceptedGroup:
    """The same for several that make up one task: all are accepted, or none.

    Raises:
        ApiError: they are refused; nothing of them is kept.
    """
    first = asked[0]
    try:
        async with the.predictions.turn_of(first.request_hash):
            accepted = await the.predictions.accept_group(
                [await _checked(each, the) for each in asked],
                first.tenant,
                began_at=first.began_at,
                hung_up=first.hung_up,
            )
    except ApiError:
        await _forget(asked, the)
        raise
    if accepted.repeats:
        await _forget(asked, the)
    return accepted


async def _forget(asked: Sequence[Asked], the: Parts) -> None:
    for each in asked:
        await the.input_files.forget(each.id)


async def _checked(asked: Asked, the: Parts) -> NewPrediction:
    schema = asked.model.version.schema
    unknown = sorted(asked.input.keys() - schema.properties.keys())
    if unknown:
        log.info("Unknown inputs were dropped: %s.", ", ".join(unknown)[:200])
    input = schema.checked(asked.input)
    secrets = {name: input[name] for name in schema.secrets & input.keys()}
    most = the.settings.upstream_images_per_minute
    if most is not None and not has_own_account(secrets):
        check_fits(input, schema, most)
    kept = await the.input_files.taken_out(input, schema.file_inputs, asked.tenant, asked.id)
    return NewPrediction(
        id=asked.id,
        tenant_id=asked.tenant.id,
        token_id=asked.tenant.token_id,
        model=asked.model.full_name,
        version=asked.model.version.id,
        origin=asked.origin,
        input=kept | dict.fromkeys(secrets, REDACTED),
        secrets=secrets,
        request_hash=asked.request_hash,
        deployment=asked.deployment,
        seconds=asked.seconds,
        webhook=asked.webhook,
        webhook_events=asked.webhook_events,
        caller_id=asked.caller_id,
        group_id=asked.group_id,
        dialect=asked.dialect,
        dialect_data=asked.dialect_data,
        upload_url=asked.upload_url,
        weight=weight_of(input, schema),
    )
