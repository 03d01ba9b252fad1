"""The operator's environment of the API."""

import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.__main__ import main
from api.environment import read_settings
from api.sealing import read_keyring
from api.servers import listening
from api.settings import PREFIX, BadSettings, Settings
from tests.support.generated_docs import assert_documented, table


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_PORT", "http"),
        ("API_COG_URL", "cog:5000"),
        ("API_PUBLIC_URL", "https://user:hidden@api.example.com"),
        ("API_RETENTION_SECONDS", "0"),
        ("API_PRIVATE_NETWORKS", '["everything"]'),
        ("API_TOKEN", "short"),
        ("API_DATABASE_URL", "mysql://user:hidden@host/name"),
        ("API_DATABASE_URL", "postgresql://user:hidden@host"),
        ("API_FILES", "/srv/files"),
    ],
)
def test_a_wrong_value_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(BadSettings) as refused:
        read_settings()
    assert name in str(refused.value)
    assert value not in str(refused.value)


def test_the_port_may_be_set_as_every_platform_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")

    assert read_settings().port == 8123


def test_processes_that_share_a_database_must_share_the_key() -> None:
    settings = Settings(database_url=SecretStr("postgresql://user@host/name"))

    with pytest.raises(BadSettings, match="API_ENCRYPTION_KEYS must be set"):
        read_keyring(settings)


@pytest.mark.parametrize("role", ["serve", "worker"])
def test_a_part_of_the_api_needs_what_parts_share(
    role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("API_DATA_DIRECTORY", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["api", role])

    assert main() == 2
    assert "set API_DATABASE_URL and API_FILES" in capsys.readouterr().err


def test_a_data_directory_that_cannot_be_written_to_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("API_DATA_DIRECTORY", "/dev/null/data")
    monkeypatch.setattr("sys.argv", ["api"])

    assert main() == 2
    said = "/dev/null/data cannot be written to (Not a directory); set API_DATA_DIRECTORY to"
    assert capsys.readouterr().err.startswith(said)


def test_a_taken_port_is_told_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadSettings) as refused:
            listening("127.0.0.1", port, "API_WORKER_PORT")
    said = f"Cannot listen on 127.0.0.1:{port} (Address already in use); set API_WORKER_PORT to"
    assert str(refused.value) == f"{said} another port."


@pytest.mark.docs
def test_the_documented_settings_are_those_there_are() -> None:
    rows = []
    for name, field in Settings.model_fields.items():
        variable = "`API_PORT` or `PORT`" if name == "port" else f"`{PREFIX}{name.upper()}`"
        default = field.get_default(call_default_factory=True)
        shown = "none" if default in (None, (), frozenset()) else f"`{_plain(default)}`"
        rows.append((variable, shown, str(field.description)))
    assert_documented("docs/api.md", "api settings", table(("variable", "default", ""), rows))


def _plain(default: object) -> object:
    whole = isinstance(default, float) and default.is_integer()
    return int(default) if whole and isinstance(default, float) else default
