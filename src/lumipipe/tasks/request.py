"""A request file, checked as a whole: the form, the family's sections, the readers' options."""

from __future__ import annotations

import difflib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lumipipe.config import Request, Settings
from lumipipe.errors import InputError
from lumipipe.families import FAMILIES
from lumipipe.families.page_one import check_page_one
from lumipipe.families.pages.build import readers_of
from lumipipe.readers import PUBLISHED, READERS
from lumipipe.rules.tables import load_rules
from lumipipe.tasks.certificates import with_certificates
from lumipipe.tasks.request_checks import check_form
from lumipipe.yamlfile import input_error, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.families.interface import Family
    from lumipipe.rules.tables import RuleTable
    from lumipipe.yamlfile import YamlFile


TO_FILL = "?"
"""Value in a skeleton that only the user can give; a request that still has one is refused."""


@dataclass(frozen=True)
class Loaded:
    """A checked request.

    Parameters
    ----------
    file : YamlFile
        The file and its lines.
    request : Request
        The form.
    family : Family
        The analysis.
    train, score, asset : Settings
        The family's own sections.
    rules : RuleTable or None
        The limits that ``score.rules`` names, where the family has that key.
    """

    file: YamlFile
    request: Request
    family: Family
    train: Settings
    score: Settings
    asset: Settings
    rules: RuleTable | None = None

    @property
    def base(self) -> Path:
        """The folder that relative paths of the request start from."""
        return self.file.path.parent


def load_request(path: Path) -> Loaded:
    """The request in a YAML file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Loaded
        The form and the family's sections, all defaults filled in.

    Raises
    ------
    InputError
        At the first thing that is wrong, with its line and the remedy; no data are read.
    """
    return checked(read_yaml(path))


def checked(file: YamlFile) -> Loaded:
    """The request in a file whose YAML was read; the rest is as in `load_request`."""
    for location in places_to_fill(file):
        key = ".".join(str(part) for part in location)
        raise InputError(
            file.place(location), f"{key} is still {TO_FILL}", "write what is true of your data"
        )
    try:
        request = Request.model_validate(file.content)
    except ValidationError as error:
        raise input_error(file, error, Request) from error
    request = with_certificates(file, request)
    family = _family(file, request)
    sections = {
        name: _section(file, model, name, getattr(request, name))
        for name, model in (
            ("train", family.train_section),
            ("score", family.score_section),
            ("asset", family.asset_section),
        )
    }
    loaded = Loaded(file, request, family, **sections, rules=_rules(file, sections["score"]))
    with placing(loaded):
        check_form(file, request, loaded.train)
        family.check(request, loaded.train, loaded.score, loaded.asset, "train")
        check_page_one(request, family, loaded.train, loaded.score)
        readers_of(request)
    return loaded


def places_to_fill(file: YamlFile) -> list[tuple[str | int, ...]]:
    """Keys of a request whose value is still `TO_FILL`, in the order of the file.

    Options of readers are left out: there a question mark may be a cell without reading.
    """
    found: list[tuple[str | int, ...]] = []

    def look(value: Any, location: tuple[str | int, ...]) -> None:
        if value == TO_FILL:
            found.append(location)
        elif isinstance(value, dict):
            for key, item in value.items():
                if key != "read":
                    look(item, (*location, key))
        elif isinstance(value, list):
            for number, item in enumerate(value):
                look(item, (*location, number))

    look(file.content, ())
    return found


@contextmanager
def placing(loaded: Loaded) -> Iterator[None]:
    """Give errors about the request, raised by those who do not see the file, their line in it."""
    try:
        yield
    except InputError as error:
        place = _place(loaded, error)
        if place == error.place:
            raise
        raise type(error)(place, error.problem, error.remedy) from error


def _place(loaded: Loaded, error: InputError) -> str:
    """The place of an error, with file and line where it is a key, a source or an item."""
    file, place = loaded.file, error.place
    head, *rest = place.split(": ")
    kind, _, name = head.partition(" ")
    if kind == "source":
        return f"{_source_place(loaded, name, rest, error.problem)}: {place}"
    if kind in {"recording", "stream", "unit"}:
        return f"{file.path}: {place}"
    keys = tuple(head.split("."))
    if not _is_key(loaded, keys):
        return place
    where = file.place_told(error.problem, keys)
    return where if place == "train" else f"{where}: {place}"


def _is_key(loaded: Loaded, keys: tuple[str, ...]) -> bool:
    """Whether `keys` is a section or one of its keys, not a file such as data.csv."""
    if keys[0] not in type(loaded.request).model_fields:
        return False
    own = keys[0] in {"train", "score", "asset"}
    section = getattr(loaded if own else loaded.request, keys[0])
    fields = type(section).model_fields if isinstance(section, Settings) else ()
    return len(keys) == 1 or keys[1] in fields


def _source_place(loaded: Loaded, name: str, rest: list[str], problem: str) -> str:
    """File and line of a source, or of its key, channel or label that an error is about."""
    sources = loaded.request.data
    number = next((n for n, source in enumerate(sources) if source.id == name), None)
    if number is None:
        return str(loaded.file.path)
    source = sources[number]
    if source.source in problem:
        return loaded.file.place(("data", number, "source"))
    part, _, item = rest[0].partition(" ") if rest else ("", "", "")
    names = [channel.name for channel in source.channels]
    if part == "channel" and item in names:
        return loaded.file.place(("data", number, "channels", names.index(item)))
    if part == "label":
        return loaded.file.place(("data", number, "labels", item))
    path = (part or problem.split(maxsplit=1)[0].rstrip(":")).split(".")
    return loaded.file.place(("data", number, *path))


def _family(file: YamlFile, request: Request) -> Family:
    """The family that the question names."""
    name = request.question.family
    if name in FAMILIES:
        return FAMILIES[name]
    near = difflib.get_close_matches(name, FAMILIES, n=1)
    remedy = f"did you mean {near[0]}?" if near else f"use one of {', '.join(FAMILIES)}"
    raise InputError(file.place(("question", "family")), f"no family {name}", remedy)


def _section(file: YamlFile, model: type[Settings], name: str, content: dict[str, Any]) -> Settings:
    """A section of the family, as its settings class."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise input_error(file, error, model, (name,)) from error


def _rules(file: YamlFile, score: Settings) -> RuleTable | None:
    """The table of limits that the family's key ``score.rules`` names, where it has one."""
    where = getattr(score, "rules", None)
    if where is None:
        return None
    return load_rules(where, file.path.parent, file.place(("score", "rules")))


def request_schema() -> dict[str, Any]:
    """The JSON schema of a request, each family's and reader's own sections included."""
    schema = Request.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "lumipipe request"
    definitions = schema["$defs"]
    branches = []
    for family in FAMILIES.values():
        sections = {}
        for name, model in (
            ("train", family.train_section),
            ("score", family.score_section),
            ("asset", family.asset_section),
        ):
            sections[name] = _embed(definitions, f"{family.name}_{name}", model)
        branches.append(
            {
                "if": {
                    "properties": {"question": {"properties": {"family": {"const": family.name}}}}
                },
                "then": {"properties": sections},
            }
        )
    schema["allOf"] = branches
    definitions["Question"]["properties"]["family"]["enum"] = list(FAMILIES)
    source = definitions["Source"]
    source["properties"]["format"]["enum"] = [*READERS, PUBLISHED]
    source["allOf"] = [
        {
            "if": {"properties": {"format": {"const": name}}},
            "then": {"properties": {"read": _embed(definitions, f"read_{name}", reader.Options)}},
        }
        for name, reader in READERS.items()
    ]
    return schema


def _embed(definitions: dict[str, Any], name: str, model: type[Settings]) -> dict[str, str]:
    """Put the schema of `model` among the definitions and return a reference to it."""
    # Two families may have parts of one name.
    schema = model.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    definitions |= {f"{name}.{part}": text for part, text in schema.pop("$defs", {}).items()}
    definitions[name] = schema
    return {"$ref": f"#/$defs/{name}"}
