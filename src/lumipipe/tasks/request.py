"""A request file, checked as a whole: the form, the family's sections, the readers' options."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lumipipe.config import GroupSplit, Request, SourceSplit
from lumipipe.errors import InputError
from lumipipe.families import FAMILIES
from lumipipe.readers import READERS
from lumipipe.yamlfile import input_error, read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.config import Settings
    from lumipipe.families.interface import Family
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
    """

    file: YamlFile
    request: Request
    family: Family
    train: Settings
    score: Settings
    asset: Settings

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
    _check_readers(file, request)
    _check_names(file, request, sections["train"])
    family.check(
        request, sections["train"], sections["score"], sections["asset"], file.place(("train",))
    )
    return Loaded(file, request, family, **sections)


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


def _check_readers(file: YamlFile, request: Request) -> None:
    """Refuse unknown formats and wrong options of readers."""
    for number, source in enumerate(request.data):
        here = ("data", number, "format")
        if source.format not in READERS:
            near = difflib.get_close_matches(source.format, READERS, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"use one of {', '.join(READERS)}"
            raise InputError(file.place(here), f"no reader for format {source.format}", remedy)
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
        _check_group(file, request, split.by)


def _check_group(file: YamlFile, request: Request, by: str) -> None:
    """Refuse a split by something that no source tells of its recordings."""
    known = {"unit", "recording", "source"}
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
