"""A request file, checked as a whole: the form, the family's sections, the readers' options."""

from __future__ import annotations

import difflib
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lumipipe.config import GroupSplit, Request, Settings, SourceSplit
from lumipipe.errors import InputError
from lumipipe.families import FAMILIES
from lumipipe.readers import READERS
from lumipipe.readers.units import conversion
from lumipipe.rules.tables import load_rules
from lumipipe.yamlfile import input_error, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.config import Source
    from lumipipe.families.interface import Family
    from lumipipe.rules.tables import RuleTable
    from lumipipe.yamlfile import YamlFile


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
    file = read_yaml(path)
    try:
        request = Request.model_validate(file.content)
    except ValidationError as error:
        raise input_error(file, error, Request) from error
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
        _check_sources(file, request)
        _check_names(file, request, loaded.train)
        family.check(request, loaded.train, loaded.score, loaded.asset, "train")
    return loaded


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


def _check_sources(file: YamlFile, request: Request) -> None:
    """Refuse unknown formats, wrong options of readers and units that do not fit."""
    for number, source in enumerate(request.data):
        _check_reader(file, source, number)
        for channel in source.channels:
            conversion(
                channel.quantity, channel.unit, f"source {source.id}: channel {channel.name}"
            )


def _check_reader(file: YamlFile, source: Source, number: int) -> None:
    """Refuse an unknown format and wrong options of its reader."""
    if source.format not in READERS:
        near = difflib.get_close_matches(source.format, READERS, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"use one of {', '.join(READERS)}"
        place = file.place(("data", number, "format"))
        raise InputError(place, f"no reader for format {source.format}", remedy)
    options = READERS[source.format].Options
    try:
        options.model_validate(source.read)
    except ValidationError as error:
        raise input_error(file, error, options, ("data", number, "read")) from error


def _check_names(file: YamlFile, request: Request, train: Settings) -> None:
    """Refuse names of sources and streams that the request does not have."""
    split = request.evaluation.split
    sources = [source.id for source in request.data]
    for role in ("train", "calibrate", "test") if isinstance(split, SourceSplit) else ():
        for name in getattr(split, role):
            if name not in sources:
                raise InputError(
                    file.place(("evaluation", "split", role)),
                    f"no source {name}",
                    f"use {', '.join(sources)}",
                )
    streams = {source.stream for source in request.data}
    streams = {"main"} if request.prepare.grid is not None else streams
    wanted = getattr(train, "stream", None)
    if wanted is not None and wanted not in streams:
        raise InputError(
            file.place(("train", "stream")), f"no stream {wanted}", f"use {', '.join(streams)}"
        )
    if isinstance(split, GroupSplit):
        _check_group(file, request, split.by, FAMILIES[request.question.family].groups)


def _check_group(file: YamlFile, request: Request, by: str, made: tuple[str, ...]) -> None:
    """Refuse a split by something that no source tells of its recordings."""
    known = {"unit", "recording", "source", *made}
    for source in request.data:
        known |= {*source.labels, *re.findall(r"{(\w+)}", source.recordings.id)}
        known |= set(re.findall(r"\(\?P<(\w+)>", source.recordings.pattern or ""))
    if by not in known:
        raise InputError(
            file.place(("evaluation", "split", "by")),
            f"no source tells {by} of its recordings",
            f"split by one of {', '.join(sorted(known))}",
        )


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
    source["properties"]["format"]["enum"] = list(READERS)
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
    schema = model.model_json_schema(ref_template="#/$defs/{model}")
    definitions |= schema.pop("$defs", {})
    definitions[name] = schema
    return {"$ref": f"#/$defs/{name}"}
