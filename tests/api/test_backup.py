"""Backups of an API on one machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from dev.servers.api import Api, api_before
from tests.api.commands import admin, refused
from tests.api.conftest import LOOPBACK_ALLOWED, CogBehind
from tests.api.replicate_caller import ReplicateCaller
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.one_machine


@pytest.fixture
def restored(cog_behind: CogBehind, tmp_path: Path) -> Iterator[Api]:
    """An API on one machine, in a directory of its own."""
    settings = {"API_PRIVATE_NETWORKS": LOOPBACK_ALLOWED, "API_MAX_DATA_URI_BYTES": "0"}
    behind = cog_behind
    with api_before(
        behind.server, behind.worker_port, tmp_path / "data", behind.outputs, **settings
    ) as running:
        yield running


@pytest.mark.long
def test_a_backup_made_beside_the_running_api_can_be_restored(
    restored: Api, sandbox: Sandbox, tmp_path: Path
) -> None:
    caller = ReplicateCaller(restored.url, restored.token)
    ended = caller.ended(caller.created()["id"])
    backup, new = tmp_path / "backup", tmp_path / "new"

    admin(restored, "admin", "backup", str(backup))
    restored.stop()
    restored.data = new
    assert "0 predictions that were unfinished" in admin(restored, "restore", str(backup))
    restored.start()

    again = ReplicateCaller(restored.url, restored.token).prediction(ended["id"])
    assert again["output"] == ended["output"]
    assert requests.get(again["output"][0], timeout=60).content[8:12] == b"WEBP"
    assert "holds a database" in refused(restored, "restore", str(backup))
    assert "exists already" in refused(restored, "admin", "backup", str(backup))
