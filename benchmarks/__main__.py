"""`python -m benchmarks [--smoke] [--rounds N]`: everything side by side, in under 20 minutes."""

import argparse
import base64
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from benchmarks import claims, concurrency, loop_lag, machine, report, rounds, sequential
from benchmarks.cells import HEAVY, LIGHT, SMOKE, Inputs, Request, to_images_api
from benchmarks.contenders import KEY, Bench
from dev.servers import PROJECT, Server, sandbox_server
from dev.servers.environments import environment
from dev.servers.fastapi import REQUIREMENTS

RESULTS = PROJECT / "benchmarks" / "results.json"
PICTURE = PROJECT / "docs" / "performance.svg"


def main() -> int:
    arguments = _parser().parse_args()
    started = time.monotonic()
    measured_on = machine.describe()
    with bench() as ready:
        if arguments.smoke:
            table = rounds.run(ready, 1, [SMOKE], [])
        else:
            table = rounds.run(ready, arguments.rounds, LIGHT, HEAVY)
        print(f"The rounds took {(time.monotonic() - started) / 60:.1f} minutes.")
        checked = claims.check(table)
        print(f"\n{report.tables(table)}\n{report.bottleneck(table)}\n")
        print(*checked, sep="\n")
        failed = [
            failure for row in table.values() for each in row.values() for failure in each.failures
        ]
        print(*failed, sep="\n")
        if arguments.smoke:
            return 1 if failed else 0
        turns = sequential.measure(ready)
        print(*claims.check_sequential(turns), sep="\n")
        lags = loop_lag.measure(ready)
        memory = concurrency.measure(ready)
    results = {
        "machine": measured_on,
        "rounds": arguments.rounds,
        "claims": [
            {"text": str(claim), "holds": claim.holds}
            for claim in [*claims.check_sequential(turns), *checked]
        ],
        "sequential": turns,
        "loop_lag_ms": lags,
        "memory": memory,
        "cells": rounds.to_json(table),
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    write_pages()
    print(f"It took {(time.monotonic() - started) / 60:.1f} minutes.")
    return 0


def write_pages() -> None:
    """Bring docs/performance.md, its page of cells and its picture up to date with results.json."""
    results = json.loads(RESULTS.read_text())
    table = rounds.from_json(results["cells"])
    where = results["machine"]
    report.write_between_markers(
        "machine",
        f"Measured on {where['date']}: {where['cpu']}, {where['cores']} cores, {where['memory']}, "
        f"Python {where['python']}, load average {where['load_before']} before the run; medians "
        f"of {results['rounds']} interleaved rounds. {report.bottleneck(table)}",
    )
    checked = [*claims.check_sequential(results["sequential"]), *claims.check_load(table)]
    report.write_between_markers("claims", report.claims(checked))
    compared = list(claims.against_litellm(table))
    report.write_between_markers("against litellm", report.against_litellm(compared))
    report.write_between_markers("loop lag", loop_lag.as_markdown(results["loop_lag_ms"]))
    report.write_between_markers("memory", concurrency.as_markdown(results["memory"]))
    report.write_between_markers("tables", report.tables(table), report.CELLS_PAGE)
    python = environment("benchmarks", *REQUIREMENTS) / "bin" / "python"
    subprocess.run([python, "-m", "benchmarks.plot", RESULTS, PICTURE], cwd=PROJECT, check=True)


@contextmanager
def bench() -> Iterator[Bench]:
    with (
        tempfile.TemporaryDirectory() as folder,
        sandbox_server(SANDBOX_PRERENDERED="true", SANDBOX_GRAIN="true") as sandbox,
    ):
        inputs = Inputs(Path(folder))
        ready: dict[str, Path] = {}
        for cell in (LIGHT[0], *HEAVY):
            ready[cell.kind] = Path(folder) / f"{cell.kind}.{cell.arguments['output_format']}"
            ready[cell.kind].write_bytes(_image_of(sandbox, to_images_api(cell, inputs)))
        yield Bench(sandbox, inputs, ready)


def _image_of(sandbox: Server, request: Request) -> bytes:
    answer = requests.post(
        sandbox.root + request.path,
        data=request.body,
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": request.content_type},
        timeout=60,
    )
    return base64.b64decode(answer.json()["data"][0]["b64_json"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="one cell, one round")
    parser.add_argument("--rounds", type=int, default=5, help="how often, at least 5 for the page")
    return parser


if __name__ == "__main__":
    sys.exit(main())
