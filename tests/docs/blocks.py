"""The blocks of code in a document, in their order."""

import re

from dev.servers import PROJECT

SERVER = "http://127.0.0.1:5000"
"""Where every document lets its calls go."""


def blocks(document: str, language: str) -> list[str]:
    text = (PROJECT / document).read_text()
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
