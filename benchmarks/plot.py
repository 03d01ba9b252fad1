"""`python -m benchmarks.plot RESULTS PICTURE`: two rows of bars; needs benchmarks/requirements.txt.

Reads only the JSON, because its environment holds nothing else of ours.
"""

import json
import sys
import textwrap
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

CONTENDERS = {
    "ours": ("this predictor", "#1b6ca8"),
    "sdk": ("bare openai SDK", "#9aa5b1"),
    "fastapi": ("FastAPI and the SDK", "#b9a44c"),
    "naive": ("naive Cog predictor", "#d98032"),
    "litellm": ("LiteLLM proxy", "#a63d40"),
}
PANELS = (
    ("added_p50", 1000, "added latency, p50 [ms]"),
    ("cpu_per_prediction", 1000, "CPU per prediction [ms]"),
    ("peak", 1 / 2**20, "peak memory [MiB]"),
)


def main() -> None:
    results, picture = map(Path, sys.argv[1:])
    table = json.loads(results.read_text())["cells"]
    cells = list(table)
    figure, panels = plt.subplots(len(PANELS), 1, figsize=(11, 9), sharex=True)
    width = 0.8 / len(CONTENDERS)
    for axes, (measure, factor, title) in zip(panels, PANELS, strict=True):
        for place, (name, (label, color)) in enumerate(CONTENDERS.items()):
            heights = [max(0.1, table[cell][name][measure] * factor) for cell in cells]
            positions = [x + (place - 2) * width for x in range(len(cells))]
            axes.bar(positions, heights, width, label=label, color=color)
        axes.set_yscale("log")
        axes.set_ylabel(title)
        axes.grid(axis="y", alpha=0.3)
    panels[0].legend(
        ncols=len(CONTENDERS),
        fontsize="small",
        loc="upper center",
        bbox_to_anchor=(0.5, 1.2),
        frameon=False,
    )
    labels = [textwrap.fill(cell, 16) for cell in cells]
    panels[-1].set_xticks(range(len(cells)), labels, fontsize="x-small")
    figure.tight_layout()
    mpl.rcParams["svg.hashsalt"] = "performance"
    figure.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    main()
