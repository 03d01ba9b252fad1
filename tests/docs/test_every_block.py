"""Every shell block of every document is run by a test, or there is a reason why it cannot be."""

import pytest

from dev.servers import PROJECT

from .blocks import blocks

RUN_BY = {
    "README.md": "tests/docs/test_readme.py",
    "docs/api.md": "tests/docs/test_api.py",
    "docs/calls.md": "tests/docs/test_calls.py",
    "docs/clients.md": "tests/docs/test_clients.py",
    "docs/sandbox.md": "tests/docs/test_sandbox.py",
    "docs/scale.md": "tests/docs/test_scale.py",
    "samples/README.md": "tests/dev/test_samples.py",
}
REASONS = {
    "docs/deploy.md": "Docker, a registry or a cluster; tests/container has what it can of them",
}
DOCUMENTS = sorted(
    str(file.relative_to(PROJECT))
    for folder in (".", "docs", "samples", "deploy")
    for file in (PROJECT / folder).glob("*.md")
)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_its_shell_blocks_are_tried_or_there_is_a_reason(document: str) -> None:
    has_blocks = bool(blocks(document, "sh"))
    assert has_blocks == (document in RUN_BY | REASONS)
    if document in RUN_BY:
        name = document.rpartition("/")[2]
        assert name in (PROJECT / RUN_BY[document]).read_text()
