"""deploy/compose.scale.yaml names what there is."""

import re

import pytest
import yaml

from api.roles import Role
from api.settings import PREFIX, Settings
from dev.servers import PROJECT

FILE = PROJECT / "deploy" / "compose.scale.yaml"
SERVICES = yaml.safe_load(FILE.read_text())["services"]


@pytest.mark.parametrize("name", ["api-1", "api-2", "worker-1", "worker-2"])
def test_each_process_has_settings_that_there_are(name: str) -> None:
    environment = SERVICES[name]["environment"]
    given = {each.removeprefix(PREFIX).lower() for each in environment if each.startswith(PREFIX)}

    assert given <= Settings.model_fields.keys()
    assert {"database_url", "files", "encryption_keys"} <= given
    role = Role(SERVICES[name]["command"][-1])
    assert role is (Role.API if name.startswith("api") else Role.WORKER)


def test_each_worker_shares_its_cog_servers_network_and_outputs_and_has_a_name() -> None:
    for number in (1, 2):
        worker, cog = SERVICES[f"worker-{number}"], SERVICES[f"predictor-{number}"]
        assert worker["network_mode"] == cog["network_mode"] == f"service:loopback-{number}"
        assert worker["environment"]["API_WORKER_NAME"] == f"worker-{number}"
        assert worker["volumes"] == [f"{volume}:ro" for volume in cog["volumes"]]


def test_the_file_says_what_it_takes_from_the_environment() -> None:
    text = FILE.read_text()
    said = text.partition("\nname:")[0]

    assert {name for name in re.findall(r"\$\{(\w+)", text) if name not in said} == set()


def test_caddy_sends_to_every_process_that_takes_requests() -> None:
    caddyfile = (FILE.parent / "Caddyfile").read_text()
    (sent_to,) = re.findall(r"^reverse_proxy (.*) \{$", caddyfile, re.MULTILINE)

    port = Settings.model_fields["port"].default
    assert set(sent_to.split()) == {f"{name}:{port}" for name in SERVICES if name.startswith("api")}
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in SERVICES["caddy"]["volumes"]
