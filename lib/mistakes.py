"""What a message about a mistake can add: the nearest name, the fields that a place has, the line of a file."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

import yaml
from pydantic import BaseModel

EXPECTED = {  # in place of pydantic's own words, by the type of its problem
    "tuple_type": "expected a list, such as [first, second]",
    "list_type": "expected a list, such as [first, second]",
    "model_type": "expected fields with their values, such as {first: 1, second: 2}",
    "model_attributes_type": "expected fields with their values, such as {first: 1, second: 2}",
    "dict_type": "expected names with their values, such as {first: 1, second: 2}",
}


class Plain(yaml.SafeLoader):
    """YAML whose keys are texts, or levels, which are numbers, and each given once: the last of two would win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Raises yaml.YAMLError with the line of a key that is neither, or that stands there already."""
        places = [place for place, _ in node.value if place.value != "<<"]  # `<<` takes over the keys of another place
        keys = [self.construct_object(place, deep=True) for place in places]
        kind = str if any(isinstance(key, str) for key in keys) else int | float
        for number, (key, place) in enumerate(zip(keys, places, strict=True)):
            problem = None
            if not isinstance(key, kind) or isinstance(key, bool):
                problem = f"a key is read as {key!r}, no text: put it in quotes, or take another name"
            elif key in keys[:number]:
                problem = f"the key {key!r} stands there twice: rename or remove one"
            if problem:
                raise yaml.constructor.ConstructorError(None, None, problem, place.start_mark)
        return super().construct_mapping(node, deep)


def nearest(value: str, known: Iterable[str]) -> str:
    """`; the nearest is '...'`, or nothing where no name is near."""
    found = difflib.get_close_matches(value, list(known), n=1)
    return f"; the nearest is {found[0]!r}" if found else ""


def shown(values: Iterable[str], most: int = 5) -> str:
    """The first few values, quoted, and how many more there are."""
    values = list(values)
    more = f" and {len(values) - most:,} more" if len(values) > most else ""
    return (", ".join(map(repr, values[:most])) or "nothing") + more


def said(problem: Mapping[str, Any]) -> str:
    """What is wrong, in words that need no knowledge of pydantic."""
    return EXPECTED.get(problem["type"], problem["msg"].removeprefix("Value error, "))


def advice(model: type[BaseModel], problem: Mapping[str, Any]) -> str:
    """What helps beside pydantic's own words: the fields of a place, or the name that is nearest to an unknown kind."""
    if problem["type"] == "extra_forbidden":
        return fields_there(model, problem["loc"])
    if problem["type"] == "union_tag_invalid":
        kinds = [kind.strip().strip("'") for kind in problem["ctx"]["expected_tags"].split(",")]
        return nearest(problem["ctx"]["tag"], kinds)
    return ""


def fields_there(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """Which fields the place of an unknown field has, and the one it is nearest to.

    location: as pydantic gives it: names of fields, positions in lists, and the kind of one of several models.
    """
    models = [model]
    for step in location[:-1]:
        fields = [each.model_fields[step].annotation for each in models if step in each.model_fields]
        kinds = [each for each in models if any(step in get_args(f.annotation) for f in each.model_fields.values())]
        models = [inner for annotation in fields for inner in _models(annotation)] or kinds or models
    names = sorted({name for each in models for name in each.model_fields} - {"name"})
    return f", fields are: {', '.join(names)}{nearest(str(location[-1]), names)}"


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def in_yaml(content: bytes, error: yaml.YAMLError | UnicodeDecodeError) -> tuple[int, str]:
    """Line, from 1 on, and problem of a text that is no YAML.

    What was never closed or ended is told where it begins, not where that is noticed.
    """
    if isinstance(error, UnicodeDecodeError):
        return content[: error.start].count(b"\n") + 1, "no UTF-8 text"
    if isinstance(error, yaml.reader.ReaderError):
        return content.decode("utf-8-sig")[: error.position].count("\n") + 1, error.reason
    unended = (error.context or "").startswith(("while scanning a", "while parsing a flow")) and error.context_mark
    return (unended or error.problem_mark).line + 1, error.problem
