"""What must be true of every call of a soak of the API, and of the ledger behind it."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api.predictions.prediction import MAY_HAVE_BEEN_BILLED
from benchmarks.api_soak.callers import ENDS, Seen
from benchmarks.api_soak.plan import CANCELS, LEAVES

GRACE = 5.0  # seconds past the deadline; two loaded cores

Entry = Mapping[str, Any]
Webhooks = Mapping[int, Mapping[str, bytes]]


def problems(
    all_seen: Sequence[Seen], ledger: Sequence[Entry], webhooks: Webhooks, deadline: float
) -> list[str]:
    """Everything that is not as promised, one line each; empty is what a soak is for."""
    by_number: dict[int, list[Entry]] = defaultdict(list)
    for entry in ledger:
        by_number[entry["number"]].append(entry)
    return [
        f"call {seen.call.number} ({seen.call.planned.kind}, {seen.call.behaviour}): {problem}"
        for seen in all_seen
        for problem in _of_one(
            seen, by_number[seen.call.number], webhooks.get(seen.call.number, {}), deadline
        )
    ]


def ends(webhooks: Webhooks) -> Counter[str]:
    """How many predictions ended how."""
    return Counter(
        json.loads(body)["status"] for bodies in webhooks.values() for body in bodies.values()
    )


def _of_one(
    seen: Seen, entries: Sequence[Entry], webhooks: Mapping[str, bytes], deadline: float
) -> Iterator[str]:
    if seen.trouble:
        yield f"the caller's trouble: {seen.trouble}"
    if wrong := [status for status in seen.statuses if status not in {200, 201}]:
        yield f"was answered {wrong}"
    ended = [json.loads(body) for body in webhooks.values()]
    ids = seen.ids | {each["id"] for each in ended}
    if len(ids) > 1:
        yield f"became {len(ids)} predictions"
    if len(ended) > 1:
        yield f"ended {len(ended)} times, by its webhooks"
    billed = [entry for entry in entries if entry["billed"]]
    if len(billed) > 1:
        yield f"billed {len(billed)} times"
    if not ended:
        if ids or entries:
            yield f"no webhook tells its end; its caller saw it {seen.last.get('status')}"
        elif seen.call.behaviour != LEAVES:
            yield "was never accepted"
        return
    (last,) = ended[:1]
    if seen.last.get("status") in ENDS and seen.last["status"] != last["status"]:
        yield f"its caller saw it {seen.last['status']}, the webhook says {last['status']}"
    yield from _of_end(seen, last, billed, deadline)


def _of_end(
    seen: Seen, last: Mapping[str, Any], billed: Sequence[Entry], deadline: float
) -> Iterator[str]:
    total = last["metrics"]["total_time"]
    if total > deadline + GRACE:
        yield f"took {total:.1f} s, the deadline is {deadline:g} s"
    if last["status"] == "succeeded":
        images = billed[0]["images_billed"] if billed else 0
        if not billed:
            yield "succeeded, but the upstream billed nothing"
        elif len(last["output"]) < images and "unusable" not in last["logs"]:
            yield f"{images} images were billed, and nothing says why some are missing"
    elif last["status"] == "failed":
        if not last["error"]:
            yield "failed without a word"
        elif "Predictor itself" in last["error"] or "UnexpectedFailure" in last["error"]:
            yield f"was not foreseen: {last['error']}"
        elif billed and MAY_HAVE_BEEN_BILLED not in last["error"]:
            yield f"was billed, and its error does not say so: {last['error']}"
    elif seen.call.behaviour != CANCELS and total < deadline - 1:
        yield f"was {last['status']} after {total:.1f} s, though nobody asked"
