"""A task `imageInference`, read and checked as far as it can be without looking anywhere."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.dialects.runware.members import Members, invalid, missing
from api.dialects.runware.problems import TaskError
from api.dialects.runware.sizes import LONGEST, SHORTEST, STEP, Size

log = logging.getLogger(__name__)

AIR = "openai:gpt-image@2"
_MODELS = {AIR, "openai-gpt-image-2"}  # its name in Runware's catalogue, and the newer SDKs' slug
MOST_REFERENCES = 16
FORMATS = {"JPG": "jpeg", "PNG": "png", "WEBP": "webp"}
_QUALITIES = ("auto", "high", "medium", "low")

_OF_OTHER_MODELS = ("seedImage", "maskImage", "inputs.mask", "inputs.seedImage", "inputs.maskImage")
"""Pictures that this model does not take: leaving them out would draw, and bill, another one."""
_READ = {
    *("taskType", "taskUUID", "model", "positivePrompt", "width", "height", "numberResults"),
    *("inputs", "referenceImages", "outputType", "outputFormat", "outputQuality", "ttl"),
    *("deliveryMethod", "webhookURL", "uploadEndpoint", "includeCost", "safety", "checkNSFW"),
    *("providerSettings", "settings"),
}


@dataclass(frozen=True)
class Inference:
    """What the task asks for."""

    id: str
    """The taskUUID in its usual form."""
    task_uuid: str
    """As it came, which is how the client looks for it in answers."""
    prompt: str
    size: Size | None
    """None leaves it to the model."""
    count: int
    references: list[str]
    output_type: str
    output_format: str
    """By Runware's name."""
    output_quality: int
    is_async: bool
    webhook: str | None
    upload: str | None
    checks_content: bool
    ttl: int | None
    """Seconds."""
    includes_cost: bool
    quality: str
    moderation: str

    @classmethod
    def of(cls, task: Mapping[str, Any], longest_ttl: int) -> "Inference":
        """Read the task.

        Args:
            longest_ttl: seconds, after which pictures are removed in any case.

        Raises:
            TaskError: a member is missing or wrong.
        """
        members = Members(task)
        id = members.uuid("taskUUID")
        if members.text("model", most=255) not in _MODELS:
            raise TaskError("unknownModel", f"The only model here is {AIR}.", "model", status=404)
        for path in _OF_OTHER_MODELS:
            if members.at(path) is not None:
                raise TaskError(
                    "unsupportedParameter",
                    f"The model takes no {path}; give pictures as inputs.referenceImages.",
                    path,
                )
        output_type = members.choice(["outputType"], ["URL", "base64Data", "dataURI"], "URL")
        if unread := sorted(task.keys() - _READ):
            log.info("Members without effect: %s.", ", ".join(unread)[:200])
        return cls(
            id=id,
            task_uuid=str(task["taskUUID"]),
            prompt=members.text("positivePrompt", least=2, most=32_000),
            size=_size(members),
            count=members.whole("numberResults", least=1, most=20, default=1) or 1,
            references=members.texts(
                ["inputs.referenceImages", "referenceImages"], MOST_REFERENCES
            ),
            output_type=output_type,
            output_format=members.choice(["outputFormat"], list(FORMATS), "JPG"),
            output_quality=members.whole("outputQuality", least=20, most=99, default=95) or 95,
            is_async=members.choice(["deliveryMethod"], ["sync", "async"], "sync") == "async",
            webhook=members.url("webhookURL"),
            upload=members.url("uploadEndpoint"),
            checks_content=members.flag("safety.checkContent", "checkNSFW"),
            ttl=_ttl(members, output_type, longest_ttl),
            includes_cost=members.flag("includeCost"),
            quality=_setting(members, "quality", _QUALITIES),
            moderation=_setting(members, "moderation", ("auto", "low")),
        )


def equal_requests(task: Mapping[str, Any], token_id: str, inference: Inference) -> str:
    """What a request has in common with its repetition under another taskUUID.

    An asynchronous one has nothing: its client asks for the result by the UUID that it sent last.
    """
    same = dict(task) if inference.is_async else {**task, "taskUUID": None}
    told = json.dumps(same, sort_keys=True)
    return hashlib.sha256(f"{token_id}\nrunware\n{told}".encode()).hexdigest()


def _size(members: Members) -> Size | None:
    width = members.whole("width", least=SHORTEST, most=LONGEST, step=STEP)
    height = members.whole("height", least=SHORTEST, most=LONGEST, step=STEP)
    if width is None and height is None:
        return None
    if width is None or height is None:
        raise missing("width" if width is None else "height")
    return width, height


def _ttl(members: Members, output_type: str, longest: int) -> int | None:
    if members.at("ttl") is None:
        return None
    if output_type != "URL":
        raise invalid("ttl", "is taken only with outputType URL")
    if longest < 60:
        raise invalid("ttl", f"cannot be kept: pictures are removed after {longest} s here")
    return members.whole("ttl", least=60, most=longest)


def _setting(members: Members, name: str, choices: tuple[str, ...]) -> str:
    paths = [f"providerSettings.openai.{name}", f"settings.{name}"]
    return members.choice(paths, choices, "auto")
