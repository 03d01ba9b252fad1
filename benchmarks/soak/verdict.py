"""What must be true of every prediction of a soak, and of the ledger behind it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.soak.client import Ended
from benchmarks.soak.plan import CANCEL, HANG_UP, kinds
from gpt_image import errors
from sandbox.faults import FAULTS

GRACE = 3.0  # seconds past the deadline; two loaded cores, and Cog around the call
_COG_SAYS = "Prediction failed: Async prediction failed: "

Entry = Mapping[str, Any]


def problems(
    ended: Sequence[Ended], ledger: Sequence[Entry], deadline: float, at_least: int
) -> list[str]:
    """Everything that is not as promised, one line each; empty is what a soak is for."""
    by_number: dict[int, list[Entry]] = defaultdict(list)
    for entry in ledger:
        by_number[entry["number"]].append(entry)
    found = [
        f"prediction {each.planned.number} ({each.planned.kind}): {problem}"
        for each in ended
        for problem in _of_one(each, by_number[each.planned.number], deadline)
    ]
    seen = occurrences(ended, ledger)
    return found + [
        f"{kind} occurred {seen[kind]} times, fewer than {at_least}"
        for kind in kinds()
        if seen[kind] < at_least
    ]


def occurrences(ended: Sequence[Ended], ledger: Sequence[Entry]) -> Counter[str]:
    """How many predictions met each kind: faults by the ledger, the rest by the plan."""
    planned = Counter(each.planned.kind for each in ended)
    met = Counter(fault for _, fault in {(entry["number"], entry["fault"]) for entry in ledger})
    return Counter({kind: met[kind] if kind in FAULTS else planned[kind] for kind in kinds()})


def _of_one(ended: Ended, entries: Sequence[Entry], deadline: float) -> Iterator[str]:
    billed = [entry for entry in entries if entry["billed"]]
    if len(billed) > 1:
        yield f"billed {len(billed)} times"
    if ended.seconds > deadline + GRACE:
        yield f"took {ended.seconds:.1f} s, the deadline is {deadline:g} s"
    if ended.status == "failed":
        yield from _of_failure(str(ended.body.get("error")), bool(billed))
    elif ended.status == "succeeded":
        images = billed[0]["images_billed"] if billed else 0
        if not billed:
            yield "succeeded, but the upstream billed nothing"
        elif len(ended.body["output"]) < images and "unusable" not in ended.body["logs"]:
            yield f"{images} images were billed, and nothing says why some are missing"
    elif (ended.planned.kind, ended.status) not in {(CANCEL, "canceled"), (HANG_UP, "left")}:
        yield f"ended as {ended.status}: {ended.body}"


def _of_failure(error: str, billed: bool) -> Iterator[str]:
    name, _, sentence = error.removeprefix(_COG_SAYS).partition(": ")
    kind = getattr(errors, name, None)
    if not (isinstance(kind, type) and issubclass(kind, errors.GptImageError)):
        yield f"its error is not of the tree: {error}"
    elif kind is errors.UnexpectedFailure:
        yield f"was not foreseen: {sentence}"
    if billed and errors.BILLED_NOTE not in sentence:
        yield f"was billed, and its error does not say so: {error}"
