"""The one door through which an upstream's words reach a caller, a log line or a metric.

An upstream may echo the key or the prompt of a request in any field and in any spelling. So what
cannot be recognised as harmless is not repeated: a name has to look like one, a message may share
no run of characters with a private text, and a word that reads like a token is left out of it.
"""

import base64
import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cached_property
from urllib.parse import unquote

MESSAGE_LIMIT = 300
"""Characters of a message that are shown; a longer text is one that no caller reads."""

# Characters; more is a page or a stack trace. A message may repeat a prompt of 32,000 whole.
_LONGEST_READ = 40_000
_LONGEST_KEPT = 4_000

_LEFT_OUT = "[left out, since it repeats private text]"

# Letters and digits in a row. Eight of a random key never come about by chance; of a prompt it
# takes some five words, since "transparent background" stands in prompts and in OpenAI's messages.
_SECRET_RUN = 8
_PROMPT_RUN = 24
# Shorter ones are words, such as the "none" or "EMPTY" of keyless gateways.
_SHORTEST_SECRET = 6
_SHORTEST_PROMPT = 9

_MOST_ENCODINGS = 3  # one inside the other; who goes on has something to hide

_LOGIN = re.compile(r"(?<=://)[^/\s]+@")
_ACCOUNT = re.compile(r"\b(org-|proj_)[\w-]+")
_KEY = re.compile(
    r"\b(?:sk|rk|r8|sess)[-_ ]+[\w.*+/=-]+"
    r"|\b(?:Bearer|Basic)[-_ ]+(?!auth|token|key|scheme)[\w.*+/=-]+"
    # Masked, as in abcd****wxyz or abcd...wxyz. Each may begin only where a word or the stars do,
    # or a long word would be gone through once for each of its letters.
    r"|(?<![\w-])[\w-]+\*{3,}[\w-]*|(?<!\*)\*{3,}[\w-]+"
    r"|(?<!\w)\w{2,}(?:\.{3}|…)\w{2,}",
    re.IGNORECASE,
)
# Sixteen letters and digits in a row, both among them: a token, a hash, base64. A dated model name
# or an address is no such word, and OpenAI's request ids are told by their prefix.
_LONG_WORD = re.compile(r"[\w+/=~.:%-]{16,}")
_LONG_RUN = re.compile(r"[A-Za-z0-9]{16,}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")

_NAME = re.compile(r"[A-Za-z][\w.\[\]-]{0,63}|\d{1,9}", re.ASCII)
_CATEGORY = re.compile(r"[A-Za-z][A-Za-z_/ -]{0,39}")
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}")
# OpenAI's, a UUID, a hash, or a moment with a random tail, as gateways of the one-api family have.
_REQUEST_ID = re.compile(
    r"req_[0-9a-f]{1,40}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{1,40}"
    r"|\d{8,20}[0-9a-z]{0,16}",
    re.IGNORECASE,
)


class Door:
    """Lets through what an upstream says of one request.

    Args:
        secrets: the key that the request was sent with, and the account's ids.
        prompt: the caller's.
    """

    def __init__(self, secrets: Sequence[str], prompt: str) -> None:
        # Looked at when something has to be shown, which for most requests is never.
        self._given = secrets, prompt

    @cached_property
    def _secrets(self) -> list[str]:
        return [text for text in self._given[0] if len(_plain(text)) >= _SHORTEST_SECRET]

    @cached_property
    def _prompt(self) -> str:
        prompt = self._given[1]
        return _one_line(prompt) if len(prompt) >= _SHORTEST_PROMPT else ""

    def message(self, said: object, limit: int = MESSAGE_LIMIT) -> str:
        """A free text on one line, at most `limit` long; empty where nothing was said."""
        if not isinstance(said, str):
            return ""
        text = self._without_given(_one_line(said[:_LONGEST_READ]))
        if len(said) > _LONGEST_READ or len(text) > _LONGEST_KEPT:
            return "[left out, since it is too long]"
        text = _ACCOUNT.sub(r"\1...", _KEY.sub("[key]", _LOGIN.sub("", text)))
        text = self._without_prompt(text)
        if self._gives_away(text):
            return _LEFT_OUT
        text = _LONG_WORD.sub(_unless_token, text)
        return text if len(text) <= limit else text[: limit - 3] + "..."

    def name(self, said: object) -> str:
        """A code, type or parameter; empty where it does not look like one."""
        return self._of_shape(_NAME, str(said) if type(said) is int else said)

    def category(self, said: object) -> str:
        """A category or stage of moderation; empty where it does not look like one."""
        return self._of_shape(_CATEGORY, said)

    def media_type(self, content_type: str) -> str:
        """The type and subtype of a Content-Type header; empty where there is none to see."""
        return self._of_shape(_MEDIA_TYPE, content_type.partition(";")[0].strip().lower())

    def request_id(self, said: str | None) -> str:
        """An id to look a request up by; empty where it is of no known shape."""
        if not said or not _REQUEST_ID.fullmatch(said) or self._gives_away(said):
            return ""
        return said

    def _of_shape(self, shape: re.Pattern[str], said: object) -> str:
        if not isinstance(said, str) or not shape.fullmatch(said):
            return ""
        return said if self.message(said) == said else ""

    def _without_given(self, text: str) -> str:
        if self._prompt:
            text = text.replace(self._prompt, "[prompt]")
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text

    def _without_prompt(self, text: str) -> str:
        length = min(_PROMPT_RUN, len(_plain(self._prompt)))
        if not length:
            return text
        plain, places = _plain_with_places(text)
        hidden: set[int] = set()
        for start in range(len(plain) - length + 1):
            if plain[start : start + length] in self._runs_of_prompt:
                hidden.update(range(places[start], places[start + length - 1] + 1))
        marked = "".join("\0" if place in hidden else char for place, char in enumerate(text))
        return re.sub("\0+", "[prompt]", marked)

    def _gives_away(self, text: str) -> bool:
        """Whether anything of a secret is in it, or anything private once it is decoded."""
        if self._holds_secret(text):
            return True
        for _ in range(_MOST_ENCODINGS):
            decoded = html.unescape(unquote(_ESCAPE.sub(lambda code: chr(int(code[1], 16)), text)))
            if decoded == text:
                return False
            if self._holds_secret(decoded) or self._without_prompt(decoded) != decoded:
                return True
            text = decoded
        return True

    def _holds_secret(self, text: str) -> bool:
        plain = _plain(text)
        if any(secret in plain for secret in self._short_secrets):
            return True
        return bool(_runs(plain, _SECRET_RUN) & self._runs_of_secrets)

    @cached_property
    def _short_secrets(self) -> list[str]:
        return [plain for plain in map(_plain, self._secrets) if len(plain) < _SECRET_RUN]

    @cached_property
    def _runs_of_secrets(self) -> set[str]:
        forms = [form for secret in self._secrets for form in _forms(secret)]
        return set().union(*(_runs(_plain(form), _SECRET_RUN) for form in forms))

    @cached_property
    def _runs_of_prompt(self) -> set[str]:
        plain = _plain(self._prompt)
        return _runs(plain, min(_PROMPT_RUN, len(plain)))


def _forms(secret: str) -> Iterator[str]:
    """As it is, in hex, and in base64 at each offset at which it may begin in a longer text."""
    yield secret
    for spelled in {secret, secret.lower(), secret.upper(), secret.swapcase()}:
        data = spelled.encode()
        yield data.hex()
        for before, mixed in enumerate((0, 2, 3)):
            # The first and last characters also depend on what stands beside the secret.
            yield base64.b64encode(bytes(before) + data).decode().rstrip("=")[mixed:-1]


def _unless_token(word: re.Match[str]) -> str:
    if re.fullmatch(r"req_[0-9a-f]{1,40}\W*", word[0]):
        return word[0]
    runs = _LONG_RUN.findall(word[0])
    is_token = any(not run.isalpha() and not run.isdecimal() for run in runs)
    return "[...]" if is_token else word[0]


def _runs(plain: str, length: int) -> set[str]:
    return {plain[start : start + length] for start in range(len(plain) - length + 1)}


def _plain(text: str) -> str:
    """Letters and digits alone, without case, accents and the look-alikes of Unicode."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKD", text).casefold())


def _plain_with_places(text: str) -> tuple[str, list[int]]:
    """As `_plain`, and for each character the place in `text` that it comes from."""
    pairs = [(char, place) for place, one in enumerate(text) for char in _plain(one)]
    return "".join(char for char, _ in pairs), [place for _, place in pairs]


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
