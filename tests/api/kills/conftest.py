"""The three processes that die."""

from collections.abc import Iterator

import pytest

from tests.api.crashes import Crashes, crashes
from tests.api.kept import Kept


@pytest.fixture(scope="module")
def stack(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("crashes"), kept) as running:
        yield running
        running.api.kill()
