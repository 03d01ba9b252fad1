"""`scripts/save-pictures [NAME]`: from Cog's or the API's answer on stdin to NAME.0.webp and so on.

Needs no more than Python itself, so that it works without the project's environment.
"""

import json
import re
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from dev.data_uris import decoded


def main() -> int:
    """0 with every picture on disk and the logs printed, 1 with the reason why there is none."""
    name = sys.argv[1] if len(sys.argv) > 1 else "picture"
    text = sys.stdin.read()
    try:
        answer = json.loads(text)
    except ValueError:
        return _fail(text.strip() or "The server did not answer.")
    if not isinstance(answer, dict) or answer.get("status") != "succeeded":
        return _fail(reason(answer))
    try:
        for line in [*answer.get("logs", "").splitlines(), *save(answer["output"], name)]:
            print(line)
    except ValueError as error:
        return _fail(f"An output cannot be saved: {error}.")
    except OSError as error:
        return _fail(f"Cannot write {error.filename}: {error.strerror}.")
    return 0


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def reason(answer: object) -> str:
    """Why there are no pictures: in `error` or `status`, or refused in `detail`.

    That is a list where Cog refuses (422), and a sentence where the API does.
    """
    if not isinstance(answer, dict):
        return f"This is no prediction: {answer}"
    if isinstance(answer.get("detail"), list):
        return "\n".join(f"{each['loc'][-1]}: {each['msg']}" for each in answer["detail"])
    said = answer.get("error") or answer.get("detail")
    return without_prefix(str(said or f"The prediction is {answer.get('status', 'unknown')}."))


def without_prefix(error: str) -> str:
    """The error of a failed prediction as the predictor raised it, without Cog's own words."""
    return re.sub(r"^(Prediction failed: )?(Async prediction failed: )?", "", error)


def save(outputs: list[str], name: str) -> Iterator[str]:
    """Write each data URI to a file of its own, over none that is there; the names, or the URL."""
    for output in outputs:
        if output.startswith(("http://", "https://")):
            yield output  # the server has put it there (--upload-url)
            continue
        content, suffix = decoded(output)
        path = next(p for i in count() if not (p := Path(f"{name}.{i}{suffix}")).exists())
        path.write_bytes(content)
        yield str(path)


if __name__ == "__main__":
    sys.exit(main())
