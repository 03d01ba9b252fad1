"""The servers that the runner, tests and benchmarks start: nothing of them is left behind."""

import tempfile
from pathlib import Path

import pytest

from dev.servers import predictor, predictor_server, sandbox_server
from dev.servers.process import ServerError
from tests.support.cog_client import Cog

pytestmark = pytest.mark.long


def test_a_prediction_leaves_nothing_in_the_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with sandbox_server() as sandbox, predictor_server(OPENAI_PROXY_URL=sandbox.url) as server:
        prediction = Cog(server.url).predict()
        cogs = predictor.COGS_FOLDER / str(prediction.body["id"])
        assert prediction.status == "succeeded"
        assert list(tmp_path.glob("*/gpt-image-2/*/*.webp"))
        assert cogs.exists()
    assert not list(tmp_path.iterdir())
    assert not cogs.exists()


def test_a_temporary_directory_that_was_asked_for_is_used_and_stays(tmp_path: Path) -> None:
    with (
        sandbox_server() as sandbox,
        predictor_server(OPENAI_PROXY_URL=sandbox.url, TMPDIR=str(tmp_path)) as server,
    ):
        assert Cog(server.url).predict().status == "succeeded"
    assert list(tmp_path.glob("gpt-image-2/*/*.webp"))


def test_every_user_of_a_machine_may_write_where_cog_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "coglet" / "predictions"
    monkeypatch.setattr(predictor, "COGS_FOLDER", folder)
    predictor.share_cogs_folder()
    assert [each.stat().st_mode & 0o7777 for each in (folder.parent, folder)] == [0o1777] * 2


def test_a_folder_of_anothers_cog_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "predictions"
    monkeypatch.setattr(predictor, "COGS_FOLDER", folder)
    monkeypatch.setattr("os.access", lambda *_: False)  # as for who is not root
    with pytest.raises(ServerError, match=f"belongs to .*: chmod 1777 {folder}"):
        predictor.share_cogs_folder()
