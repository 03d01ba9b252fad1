"""The operator's environment: read once, checked at start, never repeated."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dev.servers import PROJECT, Server, ServerError, predictor_server
from gpt_image.errors import BadSettings
from gpt_image.settings import Settings, take_settings
from tests.support.cog_client import Cog
from tests.support.generated_docs import assert_documented, table


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*Settings.model_fields, "OPENAI_CUSTOM_HEADERS"]:
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_defaults_are_openai_and_nobody_pays() -> None:
    settings = take_settings()
    assert settings.openai_base_url == "https://api.openai.com/v1"
    assert settings.openai_image_model == "gpt-image-2"
    assert settings.openai_deadline_seconds == 600
    assert settings.payer_without_key.startswith("nobody")


def test_no_openai_variable_stays_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Own: 1")
    take_settings()
    assert not [name for name in os.environ if name.startswith("OPENAI_")]


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_key_counts_as_absent(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", blank)
    monkeypatch.setenv("OPENAI_PROXY_URL", blank)
    settings = take_settings()
    assert settings.openai_api_key is None
    assert settings.openai_proxy_url is None


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("OPENAI_API_KEY", "two words", "the key holds spaces"),
        ("OPENAI_API_KEY", "“curly”", "the key holds spaces"),
        ("OPENAI_PROXY_KEY", "line\nbreak", "the key holds spaces"),
        ("OPENAI_PROXY_URL", "gateway:8080", "must be a URL such as"),
        ("OPENAI_PROXY_URL", "ftp://gateway/v1", "must be a URL such as"),
        ("OPENAI_PROXY_URL", "https://user:hidden@gateway/v1", "must not hold a login"),
        ("OPENAI_BASE_URL", "https://gateway/v1?key=hidden", "without ? and #"),
        ("OPENAI_BASE_URL", "https://gateway/v 1", "must be a URL such as"),
        ("OPENAI_BASE_URL", "https://gate way/v1", "must be a URL such as"),
        ("OPENAI_BASE_URL", "https://gateway:port/v1", "must be a URL such as"),
        ("OPENAI_BASE_URL", "https://gateway:65536/v1", "impossible port; it must be from 1 to"),
        ("OPENAI_PROXY_URL", "https://gateway:0/v1", "impossible port; it must be from 1 to 65535"),
        ("OPENAI_PROXY_URL", "https://gateway..example/v1", "impossible host name; each part"),
        ("OPENAI_PROXY_URL", f"https://{'g' * 64}.example/v1", "impossible host name; each part"),
        ("OPENAI_PROXY_URL", f"https://{'g.' * 130}example/v1", "impossible host name; each part"),
        ("OPENAI_DEADLINE_SECONDS", "0", "greater than 0"),
        ("OPENAI_DEADLINE_SECONDS", "soon", "valid number"),
        ("OPENAI_RETRY_AMBIGUOUS", "maybe", "valid boolean"),
        ("OUTPUT_MAX_AGE_SECONDS", "5", "greater than or equal to 60"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as caught:
        take_settings()

    assert str(caught.value).startswith("Correct these environment variables and start again: ")
    assert f"{name}: " in str(caught.value)
    assert says in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert f" {value}" not in str(caught.value).replace("greater than 0", "")


@pytest.mark.parametrize(
    ("value", "url"),
    [
        (" https://gateway.example/v1/ ", "https://gateway.example/v1"),
        ("https://gateway.example:8443/v1\n", "https://gateway.example:8443/v1"),
        ("http://predictor_1:5000/v1", "http://predictor_1:5000/v1"),
        ("http://[::1]:5000/v1", "http://[::1]:5000/v1"),
        ("http://10.0.0.7/v1", "http://10.0.0.7/v1"),
        ("https://bücher.example/v1", "https://bücher.example/v1"),
        (f"https://{'g' * 63}.example/v1", f"https://{'g' * 63}.example/v1"),
    ],
)
def test_a_url_is_taken_as_it_was_meant(
    monkeypatch: pytest.MonkeyPatch, value: str, url: str
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", value)
    monkeypatch.setenv("OPENAI_PROXY_URL", value)
    settings = take_settings()
    assert settings.openai_base_url == settings.openai_proxy_url == url


def test_a_file_stands_in_for_an_absent_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "openai_api_key").write_text("test-key-from-a-file\n")
    (tmp_path / "somebody_elses").mkdir()

    settings = take_settings(tmp_path)
    assert settings.openai_api_key
    assert settings.openai_api_key.get_secret_value() == "test-key-from-a-file"

    monkeypatch.setenv("OPENAI_API_KEY", "test-key-of-a-variable")
    settings = take_settings(tmp_path)
    assert settings.openai_api_key
    assert settings.openai_api_key.get_secret_value() == "test-key-of-a-variable"


def _self_link(path: Path) -> None:
    path.symlink_to(path)


BROKEN_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe": (os.mkfifo, "is not a regular file"),
    "a directory": (Path.mkdir, "is not a regular file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
    "no text": (lambda path: path.write_bytes(b"key\xff\xfe"), "is not UTF-8 text"),
    "a dangling link": (lambda path: path.symlink_to("gone"), "No such file or directory"),
    "a link to itself": (_self_link, "cannot be read (Too many levels of symbolic links)"),
}


@pytest.mark.parametrize("kind", BROKEN_FILES)
def test_a_secret_file_that_is_none_is_named_at_start(tmp_path: Path, kind: str) -> None:
    make, says = BROKEN_FILES[kind]
    make(tmp_path / "OPENAI_PROXY_KEY")

    with pytest.raises(BadSettings) as caught:
        take_settings(tmp_path)

    assert says in str(caught.value)
    assert f"The secret {tmp_path / 'OPENAI_PROXY_KEY'} " in str(caught.value)
    assert "mount a text file there" in str(caught.value)


@pytest.mark.parametrize("what", ["the file", "the directory"])
def test_a_secret_that_this_user_may_not_read_is_named_at_start(what: str) -> None:
    """In a process of another user where this one is root, who may read everything."""
    command = (
        "import os, pathlib, sys\n"
        "from gpt_image.settings import take_settings\n"
        "os.geteuid() or os.setuid(65534)\n"
        "take_settings(pathlib.Path(sys.argv[1]))\n"
    )
    # Not in the directory of this run, which is closed to other users.
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        file = Path(directory) / "openai_api_key"
        file.write_text("test-value")
        file.chmod(0 if what == "the file" else 0o644)
        Path(directory).chmod(0o755 if what == "the file" else 0)
        run = subprocess.run(
            [sys.executable, "-c", command, directory],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        Path(directory).chmod(0o700)

    named = file if what == "the file" else directory
    assert f"The secret {named} cannot be read (Permission denied); mount" in run.stderr
    assert "test-value" not in run.stderr


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_DEADLINE_SECONDS", "-1")
    monkeypatch.setenv("OPENAI_PROXY_URL", "x")
    with pytest.raises(BadSettings, match=r"(?s)OPENAI_PROXY_URL.*OPENAI_DEADLINE_SECONDS"):
        take_settings()


def test_files_must_outlive_the_prediction_that_writes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_DEADLINE_SECONDS", "7200")
    with pytest.raises(BadSettings, match="OUTPUT_MAX_AGE_SECONDS"):
        take_settings()


def test_a_wrong_value_stops_the_server_with_that_sentence() -> None:
    with (
        pytest.raises(ServerError, match="OPENAI_PROXY_URL: must be a URL such as"),
        predictor_server(OPENAI_PROXY_URL="gateway"),
    ):
        pass


def test_setup_makes_no_network_call() -> None:
    # Nothing listens there, and nothing is said about it before a prediction wants it.
    with predictor_server(OPENAI_PROXY_URL="http://127.0.0.1:9/v1") as server:
        assert Cog(server.url).health()["status"] == "READY"


def test_a_model_without_a_known_price_is_said_at_start(sandbox_process: Server) -> None:
    environment = {"OPENAI_PROXY_URL": sandbox_process.url, "OPENAI_IMAGE_MODEL": "my-model"}
    with predictor_server(**environment) as server:
        assert "No price is known for my-model; the metric cost_usd is left out." in server.log


@pytest.mark.docs
def test_the_readme_explains_every_setting() -> None:
    rows = []
    for name, setting in Settings.model_fields.items():
        extra = setting.json_schema_extra
        shown = extra.get("shown_default") if isinstance(extra, dict) else None
        default = shown or ("none" if setting.default is None else f"`{setting.default}`")
        rows.append((f"`{name.upper()}`", str(default), str(setting.description)))
    assert all(re.search(r"\.$", description) for _, _, description in rows)
    assert_documented("README.md", "settings", table(("variable", "default", "what it does"), rows))
