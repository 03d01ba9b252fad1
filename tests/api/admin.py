"""The API's command line, beside the running API."""

import subprocess
import sys

from dev.servers import PROJECT, clean_environment
from dev.servers.api import Api


def admin(api: Api, *arguments: str, says: str = "") -> str:
    """What the command printed."""
    done = subprocess.run(
        [sys.executable, "-m", "api", *arguments],
        cwd=PROJECT,
        env=clean_environment() | api.settings | {"API_DATA_DIRECTORY": str(api.data)},
        input=says,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def token_for(api: Api, tenant: str, *options: str) -> str:
    """A new token of the tenant's."""
    return admin(api, "token", "create", tenant, *options).strip()
