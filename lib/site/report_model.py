"""What the report pages say of the model: from the record of the final test and of the training run that it chose."""

from html import escape
from typing import Any

from lib import atomic
from lib.final import form
from lib.site.book import Book
from lib.site.fragments import counted, device, duration, flat, run_link, table, when
from lib.site.places import Fact, Open, Place

PAGE = "17_final_test.html"
RECORD = "chapters/17_final_test/final.json"
OF_RUN = (
    "network", "network_settings", "parameters_total", "parameters_trained", "input", "output", "recipe_used",
    "augmentation", "optimisation", "regularisation", "initialisation", "batch_size", "seed", "best_epoch",
    "training_time", "device", "versions", "trained_on",
)  # fmt: skip
OF_FINAL = ("model_title", "model_key", "model_chapter", "finalists_table", "ensembling")
NOT_YET = "the final test has not run yet in this build"


def final_record(book: Book) -> dict[str, Any]:
    """What the final test recorded; empty when it has not run, or with other code than there is now."""
    path = book.root / RECORD
    found = atomic.read_json(path) if path.exists() else {}
    return found if found.get("form") == form() else {}


def fact(text: str, entry: str, block: bool = False) -> Fact:
    """Text for a place, from an entry of the record of the final test. block: it is a paragraph or a table of its own."""
    return Fact(text, f"{RECORD}: {entry}", PAGE, block)


def of_model(book: Book, final: dict[str, Any]) -> dict[str, Place]:
    """Places about the chosen model. final: the record of the final test; empty while there is none."""
    general = {
        "runs_total": Fact(f"{len(book.runs):,}", "runs/*/record.json", "catalogue.html"),
        "commit": _commit(book),
    }
    if not final:
        return general | dict.fromkeys((*OF_FINAL, *OF_RUN), Open(NOT_YET))
    chosen = final["finalists"][final["chosen"]]
    entry = f"{RECORD}: finalists, {final['chosen']}"
    run = next((run for run in book.runs if run["key"] == chosen["key"]), None) if chosen["run"] else None
    return general | {
        "model_title": Fact(chosen["title"], entry, PAGE),
        "model_key": Fact(chosen["key"], entry, f"catalogue.html#run-{chosen['key']}" if run else PAGE),
        "model_chapter": Fact(chosen["chapter"], entry, f"{chosen['chapter']}.html"),
        "finalists_table": Fact(_finalists(final), f"{RECORD}: finalists", PAGE, block=True),
        "ensembling": Fact(f"none: the chosen model is {chosen['title']}", entry, PAGE),
        **(_of_run(run) if run else _without_run(chosen)),
    }


def _commit(book: Book) -> Place:
    found = sorted(
        {
            str(record["commit"])
            for path in sorted(book.root.glob("chapters/*/record.json"))
            if (record := book.record(path.parent.name)).get("commit")
        }
    )
    return (
        Fact(", ".join(found), "chapters/*/record.json: commit", "index.html")
        if found
        else Open("no commit is recorded")
    )


def _finalists(final: dict[str, Any]) -> str:
    rows = [
        [
            escape(name) + (" (chosen)" if name == final["chosen"] else ""),
            run_link(entry["key"], entry["title"]) if entry["run"] else escape(entry["title"]),
            f'<a href="{escape(entry["chapter"])}.html">{escape(entry["chapter"])}</a>',
            _decimals(entry["temperature"]),
            escape(str(entry.get("threshold_reason") or ""))
            if entry["threshold"] is None
            else _decimals(entry["threshold"]),
        ]
        for name, entry in final["finalists"].items()
    ]
    return table(("finalist", "model", "from", "temperature", "threshold"), rows, "report")


def _decimals(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _without_run(chosen: dict[str, Any]) -> dict[str, Place]:
    """A model that is no training run of a network: what can be said, and that the rest does not apply."""
    reason = f"not applicable: the chosen model, {chosen['title']}, is no training run of a network"
    size = chosen.get("image_size")
    known = {
        "seed": str(chosen["seed"]),
        "input": f"{size} x {size} pixels" if size else None,
        "network": chosen.get("network"),
    }
    return {name: Fact(known.get(name) or reason, f"{RECORD}: finalists", PAGE) for name in OF_RUN}


def _of_run(run: dict[str, Any]) -> dict[str, Place]:
    configuration, source = run["configuration"], f"runs/{run['key']}/record.json"
    size, classes = configuration["image_size"], len(run["class_counts"])
    network = configuration["network"]
    settings = {name: value for name, value in flat(network.get("parameters", {})).items() if name != "weights"}
    said = {
        "network": network["family"],
        "network_settings": _settings(settings),
        "parameters_total": f"{run['parameters_total']:,}",
        "parameters_trained": f"{run['parameters_trained']:,}",
        "input": f"{size} x {size} pixels, {counted(run['channels'], 'channel')}",
        "output": "one logit" if classes == 2 else f"{classes} logits",
        "recipe_used": _each(configuration["recipe"], "step"),
        "augmentation": _each(configuration["augmentation"], "kind"),
        "optimisation": "; ".join(_phase(phase) for phase in configuration["phases"]),
        "regularisation": _settings(
            {
                "l2": configuration["l2"],
                "label smoothing": configuration["label_smoothing"],
                "dropout of the head": configuration["head"]["dropout"],
                "mixing": (configuration["mixing"] or {}).get("kind", "none"),
            }
        ),
        "initialisation": _initialisation(network.get("parameters", {}), configuration["head"]["bias"]),
        "batch_size": f"{configuration['batch_size']}",
        "seed": f"{run['seed']}",
        "best_epoch": f"{run['best_epoch']}",
        "training_time": _trained_in(run),
        "device": device(run),
        "versions": ", ".join(f"{name} {version}" for name, version in run["versions"].items()),
        "trained_on": when(run["started"]),
    }
    page = f"catalogue.html#run-{run['key']}"
    return {name: Fact(text, f"{source}: {name.replace('_', ' ')}", page) for name, text in said.items()}


def _trained_in(run: dict[str, Any]) -> str:
    """Seconds of training; where frozen layers were gone through once, before, they are not among them."""
    stored = any(phase.get("stored") for phase in run.get("phases") or [])
    uncounted = "; of the layers that learn alone: what the frozen ones give was stored before, and is not counted"
    return duration(run["training_seconds"]) + (uncounted if stored else "")


def _settings(values: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_said(value)}" for name, value in values.items()) or "none"


def _said(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _each(entries: list[dict[str, Any]], name: str) -> str:
    """Steps with their settings, in order."""

    def one(entry: dict[str, Any]) -> str:
        title = str(entry.get(name) or next(iter(entry.values()))).replace("_", " ")
        rest = {
            key: value
            for key, value in entry.items()
            if value != entry.get(name) and value is not None and value is not False
        }
        return f"{title} ({_settings(rest)})" if rest else title

    return ", ".join(one(entry) for entry in entries) or "none"


def _phase(phase: dict[str, Any]) -> str:
    rate = "constant rate" if phase["schedule"] is None else f"rate by {phase['schedule']['kind']}"
    stopping = phase["early_stopping"]
    stopped = f", early stopping after {counted(stopping['patience'], 'epoch')} without progress" if stopping else ""
    learning = f"{rate}, blocks that learn: {_said(phase['unfrozen'])}{stopped}"
    return f"{counted(phase['epochs'], 'epoch')} of {phase['optimiser']} from {phase['learning_rate']:g}, {learning}"


def _initialisation(parameters: dict[str, Any], bias: str | float) -> str:
    weights = parameters.get("weights")
    start = f"weights {weights}" if weights else "random weights from the seed"
    return f"{start}; bias of the last layer: {'log of the class ratio' if bias == 'prior' else bias}"
