"""The API's command line in this process: the start of another one takes longer than all else."""

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest import mock

from api.__main__ import main
from dev.servers import clean_environment
from dev.servers.api import Api


@dataclass
class Said:
    code: int
    out: str
    error: str


def command(api: Api, *arguments: str) -> Said:
    """Run it with the settings of a running API."""
    environment = clean_environment() | api.settings | {"API_DATA_DIRECTORY": str(api.data)}
    out, error = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "argv", ["api", *arguments]),
        redirect_stdout(out),
        redirect_stderr(error),
    ):
        try:
            code = main()
        except SystemExit as ended:  # argparse
            code = int(str(ended.code))
    return Said(code, out.getvalue(), error.getvalue())


def admin(api: Api, *arguments: str) -> str:
    said = command(api, *arguments)
    assert said.code == 0, said.error
    return said.out


def refused(api: Api, *arguments: str) -> str:
    said = command(api, *arguments)
    assert said.code == 2
    return said.error
