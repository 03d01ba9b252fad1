"""The same wish in every dialect: a square picture as PNG, of low quality, for a given prompt.

A dialect is added here as one function; the tests of all dialects then try it too.
"""

import base64
import time
from collections.abc import Callable
from typing import Any

import requests

from tests.api.openai_caller import OpenAICaller
from tests.api.replicate_caller import ReplicateCaller
from tests.api.runware_caller import RunwareCaller, inference

_ENDS = {"completed", "failed", "cancelled"}
_HEADERS_OF_RETRIES = {"x-stainless-retry-count": "1"}


class NoPicture(Exception):
    """Holds all that the caller was answered."""


Draw = Callable[..., bytes]
"""Takes the API's address, a token, a prompt, and by name `key`, a key of OpenAI's to pay with,
and `again`, whether the request was sent before; gives the picture. Raises NoPicture; and
requests.ConnectionError where nobody answers.
"""


def by_replicates(
    url: str, token: str, prompt: str, *, key: str = "", again: bool = False
) -> bytes:
    caller = ReplicateCaller(url, token)
    inputs = _square(prompt, aspect_ratio="1:1") | ({"openai_api_key": key} if key else {})
    headers = _HEADERS_OF_RETRIES if again else {}
    created = caller.create(body={"input": inputs}, **headers)
    if created.status_code != 201:
        raise NoPicture(created.text)
    ended = caller.ended(created.json()["id"])
    if ended["status"] != "succeeded":
        raise NoPicture(created.text + str(ended))
    return base64.b64decode(ended["output"][0].partition(",")[2])


def by_openais(url: str, token: str, prompt: str, *, key: str = "", again: bool = False) -> bytes:
    headers = ({"X-OpenAI-Api-Key": key} if key else {}) | (_HEADERS_OF_RETRIES if again else {})
    inputs = _square(prompt, size="1024x1024")
    answer = OpenAICaller(url, token).generate(headers=headers, **inputs)
    if answer.status_code != 200:
        raise NoPicture(answer.text)
    return base64.b64decode(answer.json()["data"][0]["b64_json"])


def by_coretodays(
    url: str, token: str, prompt: str, *, key: str = "", again: bool = False
) -> bytes:
    inputs = _square(prompt, aspect_ratio="1:1") | ({"openai_api_key": key} if key else {})
    jobs, headers = f"{url}/v1/predictions", {"X-API-Key": token}
    body = {"model": "openai/gpt-image-2", "input": inputs}
    retried = headers | (_HEADERS_OF_RETRIES if again else {})
    answer = requests.post(jobs, json=body, headers=retried, timeout=30)
    if answer.status_code != 201:
        raise NoPicture(answer.text)
    job: dict[str, Any] = answer.json()
    while job["status"] not in _ENDS:
        time.sleep(0.1)
        job = requests.get(f"{jobs}/{job['job_id']}", headers=headers, timeout=30).json()
    if job["status"] != "completed":
        raise NoPicture(answer.text + str(job))
    return requests.get(job["result"][0], timeout=30).content


def by_runwares(url: str, token: str, prompt: str) -> bytes:
    """Without a key of OpenAI's, for which Runware has no place."""
    settings = {"openai": {"quality": "low"}}
    answer = RunwareCaller(url, token).post(
        inference(prompt, outputFormat="PNG", outputType="base64Data", providerSettings=settings)
    )
    if answer.status_code != 200:
        raise NoPicture(answer.text)
    return base64.b64decode(answer.json()["data"][0]["imageBase64Data"])


TAKING_KEYS: dict[str, Draw] = {
    "Replicate": by_replicates,
    "OpenAI": by_openais,
    "core.today": by_coretodays,
}
"""Those that have a place for a caller's own key of OpenAI's."""
DIALECTS: dict[str, Draw] = TAKING_KEYS | {"Runware": by_runwares}


def _square(prompt: str, **size: str) -> dict[str, Any]:
    return {"prompt": prompt, "quality": "low", "output_format": "png"} | size
