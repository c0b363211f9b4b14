"""Paths, profiles and parameters: where everything lies and what a chapter is told."""

import hashlib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError, model_validator

from lib import mistakes

REPOSITORY = Path(__file__).resolve().parents[1]
PARAMETERS = REPOSITORY / "params"
NOTEBOOKS = REPOSITORY / "notebooks"
PROFILES = ("smoke", "cpu", "gpu")
OUTPUT_VARIABLE = "BOOK_CHAPTER_OUTPUT"  # set by the builder; unset when a reader runs a chapter in JupyterLab
BUILD_VARIABLE = "BOOK_BUILD"  # another build folder, for tests
DATA_VARIABLE = "BOOK_DATA"  # a user's folder, instead of where the card finds the images

Model = TypeVar("Model", bound=BaseModel)


class UserError(ValueError):
    """A mistake of the user's: shown as one line, never as a traceback."""


class Strict(BaseModel):
    """Validated settings: unknown fields are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Profile(Strict):
    """What a profile fixes for the whole book, beside the parameters of each chapter.

    images: development images kept, evenly over the groups; None: all, and the real test part.
    """

    images: PositiveInt | None = None
    train_ahead: bool = False  # whether runs are trained before the chapters, by jobs of their own
    runs_a_job: PositiveInt = 1  # at the most: starting a job takes longer than training a small network
    feature_engine: Literal["keras", "onnx"] = "keras"  # what computes frozen features
    feature_threads: PositiveInt = 1


class FrozenFeatures(Strict):
    """Features of a backbone that a study reads, of all images."""

    backbone: str
    image_size: PositiveInt  # pixels per side
    engine: Literal["keras", "onnx"] = "onnx"
    threads: PositiveInt = 1


class Study(Strict):
    """A declared study, `params/studies/<name>.yml`, with its notebook: on frozen features, or on the runs of a family."""

    dataset: str
    labels: Literal["all", "development"]  # all: those of the test part too, to repeat a published protocol
    features: FrozenFeatures | None = None
    family: str | None = None  # in lib.grids.STUDIES
    parameters: dict[str, Any]  # of its notebook

    @model_validator(mode="after")
    def _needs_one(self) -> "Study":
        if (self.features is None) == (self.family is None) or (self.features and self.labels != "all"):
            raise ValueError("a study declares either `features` or `family`; features go with `labels: all`")
        return self


@dataclass(frozen=True)
class Context:
    """One chapter of one book: which data, which profile, and where its results go."""

    chapter: str
    dataset: str
    profile: str
    root: Path  # build/<dataset>/<profile>
    output: Path  # the chapter's own folder

    @property
    def judged(self) -> bool:
        """Whether verdicts are drawn: `smoke` concludes nothing."""
        return self.profile != "smoke"

    @property
    def settings(self) -> Profile:
        """The profile's settings for the whole book."""
        return profile_settings(self.profile)


def build_folder() -> Path:
    """Folder of everything produced (git-ignored)."""
    return Path(os.environ.get(BUILD_VARIABLE, REPOSITORY / "build")).resolve()


def book_root(dataset: str, profile: str) -> Path:
    """Folder of one book: `build/<dataset>/<profile>`. Raises UserError for an unknown profile."""
    one_of("PROFILE", profile, PROFILES)
    return build_folder() / dataset / profile


def chapter(name: str, dataset: str, profile: str) -> Context:
    """Set up a chapter.

    name: the notebook's name without ending. Never reads the chapter's section of params/: papermill injects it.
    The output folder is the builder's while a book is built, else `interactive/`, so that trying out changes no book.
    Raises UserError for an unknown profile or data set.
    """
    one_of("DATASET", dataset, [*datasets(), *own_dataset()])
    root = book_root(dataset, profile)
    output = Path(os.environ.get(OUTPUT_VARIABLE, root / "interactive" / name))
    output.mkdir(parents=True, exist_ok=True)
    return Context(name, dataset, profile, root, output)


def study(name: str, dataset: str) -> Context:
    """Set up a declared study. It has no profile, and its results lie beside the books: `build/<dataset>/studies`.

    Raises UserError for a study that is not declared, or that is of another data set.
    """
    one_of("DATASET", dataset, [study_settings(name).dataset])
    root = build_folder() / dataset / "studies"
    output = Path(os.environ.get(OUTPUT_VARIABLE, root / "interactive" / name))
    output.mkdir(parents=True, exist_ok=True)
    return Context(name, dataset, "studies", root, output)


def of_book(context: Context, profile: str) -> Context:
    """A study that trains, on the data and among the runs of a book; what it writes goes to its own folder."""
    return replace(context, profile=profile, root=book_root(context.dataset, profile))


def studies() -> list[str]:
    """Names of the declared studies, sorted."""
    return sorted(path.stem for path in (PARAMETERS / "studies").glob("*.yml"))


def study_settings(name: str) -> Study:
    """What a study declares. Raises UserError for an unknown one, and as `validated`."""
    path = PARAMETERS / "studies" / f"{one_of('STUDY', name, studies())}.yml"
    return validated(Study, read_yaml(path), f"params/studies/{name}.yml")


def datasets() -> list[str]:
    """Names of the data-set cards, sorted."""
    return sorted(path.stem for path in (PARAMETERS / "datasets").glob("*.yml"))


def data_folder() -> list[Path]:
    """The folder (or `.npz` file) that the user named by DATA, as a list of one, or none.

    Raises UserError when there is nothing of that name, or when it may not be read.
    """
    name = os.environ.get(DATA_VARIABLE)
    if not name:
        return []
    path = Path(os.path.expanduser(name))
    if not os.path.isdir(path) and path.suffix != ".npz":
        what = "is a file, no folder" if os.path.isfile(path) else "is no folder"
        raise UserError(f"DATA={name!r} {what}; DATA is a folder that holds the images of the data set")
    if not os.access(path, os.R_OK | (os.X_OK if os.path.isdir(path) else 0)):
        raise UserError(f"DATA={name!r} is not there or may not be read; name a folder that you can list")
    return [path.resolve()]


def settle_data() -> None:
    """Make DATA an absolute path, for this process and all that it starts: chapters run in another folder.

    Raises UserError as `data_folder`.
    """
    for folder in data_folder():
        os.environ[DATA_VARIABLE] = str(folder)


def own_dataset() -> list[str]:
    """Name of the data set that the user's folder is when no card is named, as a list of one, or none.

    The folder's name and a short hash of where it lies, so that two folders of one name are two books.
    """
    return [
        (re.sub(r"[^a-z0-9]+", "_", folder.name.lower()).strip("_")[:40] or "images")
        + "-"
        + hashlib.sha256(os.fsencode(folder)).hexdigest()[:6]
        for folder in data_folder()
    ]


def chapters() -> list[str]:
    """Names of the chapters in order: the notebooks that begin with two digits."""
    return sorted(path.stem for path in NOTEBOOKS.glob("[0-9][0-9]_*.py"))


def profile_settings(profile: str) -> Profile:
    """The `profile` section of `params/<profile>.yml`. Raises UserError when it is not valid."""
    return validated(Profile, _profile_file(profile).get("profile", {}), f"params/{profile}.yml, profile")


def chapter_parameters(name: str, dataset: str, profile: str) -> dict[str, Any]:
    """Everything papermill injects into a chapter: its section of `params/<profile>.yml`, the data set, the profile."""
    section = _profile_file(profile).get("chapters", {}).get(name)
    if section is None:
        raise UserError(f"params/{profile}.yml has no section for chapter {name}; add one under `chapters:`")
    return {"DATASET": dataset, "PROFILE": profile, **section}


def literature(code: str) -> dict[str, Any]:
    """Published numbers by the code of their source, from `params/literature.yml`. Raises UserError for an unknown code."""
    known = read_yaml(PARAMETERS / "literature.yml")
    return known[one_of("literature code", code, list(known))]


def read_yaml(path: Path) -> Any:
    """Content of a YAML file. Raises UserError naming file, line and problem when it is not valid, as `mistakes.Plain` has it."""
    content = path.read_bytes()
    try:
        return yaml.load(content.decode("utf-8-sig"), mistakes.Plain)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line, problem = mistakes.in_yaml(content, error)
        where = f"params/{path.relative_to(PARAMETERS)}, line {line}"
        raise UserError(f"{where}: not valid YAML ({problem}); correct it") from None


def validated(model: type[Model], values: Any, where: str) -> Model:
    """Build a pydantic model, or raise UserError naming place, field, value given and what is allowed, in one line."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, problem['loc'])) or 'the whole'}: {mistakes.said(problem)} (given: {problem['input']!r:.80})"
            + mistakes.advice(model, problem)
            for problem in error.errors()
        ]
        raise UserError(f"{where}: " + "; ".join(problems)) from None


def one_of(variable: str, value: str, allowed: list[str] | tuple[str, ...]) -> str:
    """The value itself when allowed; otherwise UserError says which values exist."""
    if value not in allowed:
        known = f"{variable} is one of: {', '.join(allowed)}{mistakes.nearest(value, allowed)}"
        raise UserError(f"{variable}={value!r} does not exist; {known}")
    return value


def _profile_file(profile: str) -> dict[str, Any]:
    one_of("PROFILE", profile, PROFILES)
    return read_yaml(PARAMETERS / f"{profile}.yml") or {}
