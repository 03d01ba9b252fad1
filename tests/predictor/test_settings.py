"""The operator's environment: read once, checked at start, never repeated."""

import os
import re

import pytest

from dev.servers import Server, ServerError, predictor_server
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

    assert str(caught.value).startswith("Set these environment variables right and start again: ")
    assert f"{name}: " in str(caught.value)
    assert says in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert f" {value}" not in str(caught.value).replace("greater than 0", "")


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
