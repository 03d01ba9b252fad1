"""A copy of the project, for what is pasted from documents: it may write there."""

import shutil
from pathlib import Path

import pytest

from dev.servers import PROJECT

MADE_HERE = shutil.ignore_patterns(
    ".git", ".venv*", ".cache", ".cog", ".*_cache", ".hypothesis", "pictures", "__pycache__"
)


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In a folder with a space in its name."""
    folder = tmp_path_factory.mktemp("a folder") / "gpt image 2"
    shutil.copytree(PROJECT, folder, ignore=MADE_HERE)
    return folder
