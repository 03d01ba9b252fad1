"""Servers as subprocesses on loopback, for the runner, tests and benchmarks: a module for each."""

from dev.servers.predictor import EXACT, EXTENDED, install_schema, predictor_server
from dev.servers.process import (
    HOST,
    PROJECT,
    Server,
    ServerError,
    clean_environment,
    free_port,
    get,
)
from dev.servers.sandbox import sandbox_server

__all__ = [
    "EXACT",
    "EXTENDED",
    "HOST",
    "PROJECT",
    "Server",
    "ServerError",
    "clean_environment",
    "free_port",
    "get",
    "install_schema",
    "predictor_server",
    "sandbox_server",
]
