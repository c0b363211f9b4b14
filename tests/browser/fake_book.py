"""A small book as the build graph leaves it: two executed chapters with figures and tables, their records, two runs."""

import json
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from nbformat import v4

from lib import atomic
from lib.estimates import Inapplicable

LOOK = """\
# %% [markdown]
# # What is in the pictures?
# **Needs** the raw images · **Produces** nothing · **Answers** no hypothesis

# %%
import numpy as np

# %% tags=["parameters"]
DATASET = "elpv"
PROFILE = "smoke"

# %% [markdown]
# ## How bright they are
# The loss of a guess is $-\\log p$; a rare word to search for is *electroluminescence*.

# %% mystnb={"figure": {"name": "brightness", "caption": "Share of images at each brightness (0 to 255)."}}
np.arange(5)

# %% [markdown]
# A wide table follows {numref}`brightness`.

# %%
"table"
"""
TRAIN = """\
# %% [markdown]
# # Does a small network learn?
# **Needs** chapter 1 · **Produces** two runs · **Answers** H3.1, H3.2

# %% tags=["parameters"]
EPOCHS = 1

# %% mystnb={"figure": {"name": "loss", "caption": "Loss per epoch, training and tuning."}}
EPOCHS + 1

# %% [markdown]
# See also {numref}`brightness`.
#
# $$ L = -\\sum_i y_i \\log p_i $$

# %% mystnb={"figure": {"name": "far", "caption": "A figure far below the first screen."}}
EPOCHS + 2
"""
UNASKED = Inapplicable("the labels are not graded in three levels or more")
VERDICTS = {"H3.1": ("confirmed", 0.08), "H3.2": ("undecided", 0.01), "H3.3": ("refuted", -0.2)}


def make_book(folder: Path, profile: str = "smoke") -> tuple[Path, Path]:
    """Write the book below `folder`; returns (ROOT, folder of the chapters' scripts)."""
    root, notebooks = folder / "build" / "elpv" / profile, folder / "notebooks"
    notebooks.mkdir(parents=True)
    parts = {"train": (300, 12), "tuning": (60, 3), "validation": (80, 4), "test": (100, 5)}
    data = {"dataset": "elpv", "profile": profile, "data_hash": "d" * 64, "rows": 540, "groups": 24}
    data["parts"] = {name: {"images": images, "groups": groups} for name, (images, groups) in parts.items()}
    atomic.write_json(root / "data" / "data.json", data)
    keys = [write_run(root, seed) for seed in (7, 8)]
    write_chapter(root, notebooks, "01_look", LOOK, [[], [], [plot("share of images")], [wide_table()]])
    write_chapter(root, notebooks, "03_train", TRAIN, [[], [plot("loss", height=1500)], [plot("loss")]], keys)
    verdicts = {"smoke": dict.fromkeys(VERDICTS, "not judged (smoke)")}.get(profile, {})
    entries = [hypothesis(name, verdicts.get(name, verdict), value) for name, (verdict, value) in VERDICTS.items()]
    entries.append(hypothesis("H3.4", "not applicable", 0) | {"p_value": None, "estimate": UNASKED.record()})
    atomic.write_json(root / "chapters" / "03_train" / "hypotheses.json", entries)
    return root, notebooks


def write_chapter(
    root: Path, notebooks: Path, name: str, script: str, outputs: list[list], keys: list[str] | None = None
) -> None:
    """Write a script and its executed notebook with the given outputs of its code cells, parameters injected."""
    (notebooks / f"{name}.py").write_text(script, encoding="utf-8")
    notebook = jupytext.reads(script, fmt="py:percent")
    notebook.metadata = nbformat.from_dict({"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, (cell, results) in enumerate(zip(cells, outputs, strict=True), start=1):
        cell.outputs, cell.execution_count = results, count
    position = next(i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
    injected = v4.new_code_cell("# Parameters\nPROFILE = 'smoke'\n", execution_count=99, id="injected-parameters")
    notebook.cells.insert(position + 1, injected)
    folder = root / "chapters" / name
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / "notebook.ipynb")
    atomic.write_json(folder / "runs_used.json", keys or [])
    atomic.write_json(
        folder / "record.json", {"chapter": name, "commit": "0123456789ab+", **made_on(), "seconds": 12.3}
    )


def write_run(root: Path, seed: int) -> str:
    """Write a finished run; returns its key."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, 80)
    table = pd.DataFrame({"image": [f"image{i}" for i in range(80)], "part": "validation", "label": label})
    table["group"] = [f"block{i % 4}" for i in range(80)]
    table["probability"] = np.clip(0.3 * label + random.uniform(0, 0.7, 80), 0, 1)
    folder = root / "runs" / (key := f"{seed:020x}")
    folder.mkdir(parents=True)
    table.to_parquet(folder / "predictions.parquet")
    configuration = {"dataset": "elpv", "network": {"family": "simple"}, "phases": [{"epochs": 1}], "seed": seed}
    record = {"key": key, "name": f"simple-48px-seed{seed}", "configuration": configuration, "seed": seed}
    record |= {"training_seconds": 61.5, "parameters_total": 10177, "parameters_trained": 10177, "layers_unfrozen": 3}
    record["files"] = {"predictions.parquet": atomic.file_sha256(folder / "predictions.parquet")}
    atomic.write_json(folder / "record.json", record | made_on())
    return key


def made_on() -> dict:
    """Data, machine, versions, time and parameters of a record."""
    return {
        "data_hash": "d" * 64,
        "started": "2025-01-31T12:30:00+00:00",
        "device": {"processor": "A processor with quite a long name (R) CPU @ 2.00GHz", "cores": 2, "gpu": None},
        "versions": {"python": "3.11.7", "tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.6"},
        "parameters": {"DATASET": "elpv", "IMAGE_SIZE": 48, "SEEDS": [7, 8]},
    }


def hypothesis(name: str, verdict: str, value: float) -> dict:
    """A judged hypothesis."""
    estimate = {"value": value, "low": value - 0.05, "high": value + 0.05, "level": 0.975, "method": "bootstrap"}
    return {
        "id": name,
        "chapter": "03_train",
        "statement": "A network trained on all levels ranks images better than one trained on the extreme levels only.",
        "source": "S4.2",
        "metric": "AUC difference",
        "direction": "greater",
        "margin": 0.02,
        "alpha": 0.05,
        "verdict": verdict,
        "estimate": estimate | {"images": 80, "groups": 4, "seeds": 2},
        "p_value": 0.01,
    }


def plot(unit: str, height: int | None = None) -> nbformat.NotebookNode:
    """Output of a cell: a plotly figure."""
    figure = go.Figure(go.Scatter(x=[0, 1, 2, 3], y=[4, 1, 3, 2], name="train", line_color="#0072B2"))
    figure.add_scatter(x=[0, 1, 2, 3], y=[3, 2, 2, 1], name="validation", line_color="#D55E00")
    figure.update_layout(xaxis_title="epoch", yaxis_title=unit, height=height, template="plotly_white")
    return v4.new_output("display_data", data={"application/vnd.plotly.v1+json": json.loads(figure.to_json())})


def wide_table() -> nbformat.NotebookNode:
    """Output of a cell: a table wider than a phone, and than the page."""
    table = pd.DataFrame(np.arange(60).reshape(3, 20) / 7, columns=[f"column_{i}" for i in range(20)])
    return v4.new_output("display_data", data={"text/html": table.to_html(), "text/plain": "a table"})
