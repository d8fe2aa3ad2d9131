"""A YAML file with the line of each of its keys, so that an error can name the place.

What the keys mean is in `lumipipe.config`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydantic import BaseModel, ValidationError

    Location = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlFile:
    """The content of a YAML file and where in it each key stands.

    Parameters
    ----------
    path : Path
        The file.
    content : dict
        Plain mappings, lists and scalars.
    lines : dict
        Location of a key (a tuple of keys and list positions) to its line, from 1.
    """

    path: Path
    content: dict[str, Any]
    lines: dict[Location, int]

    def place(self, location: Sequence[str | int]) -> str:
        """``file:line`` of the deepest key of `location` that the file has."""
        known = tuple(location)
        while known and known not in self.lines:
            known = known[:-1]
        return f"{self.path}:{self.lines.get(known, 1)}"


def read_yaml(path: Path) -> YamlFile:
    """The mapping in a YAML file, with the line of each key.

    Parameters
    ----------
    path : Path
        A UTF-8 file of plain YAML: no tags that build objects, no key twice.

    Returns
    -------
    YamlFile
        Content and lines.

    Raises
    ------
    InputError
        If the file is missing, empty, not a mapping, not YAML, or has a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            str(path), f"cannot be read ({error.strerror})", "check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(str(path), "is not UTF-8 text", "save it as UTF-8") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(
            f"{path}:{line}", f"is not YAML ({error.problem})", "mend the syntax at that line"
        ) from error
    if not isinstance(node, yaml.MappingNode):
        raise InputError(f"{path}:1", "holds no mapping of keys", "start with lumipipe_request: 1")
    lines: dict[Location, int] = {}
    _collect_lines(path, node, (), lines)
    return YamlFile(path, _construct(path, text), lines)


def _construct(path: Path, text: str) -> dict[str, Any]:
    """The plain content of YAML text; tags that would build objects are refused."""
    try:
        content: dict[str, Any] = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(
            f"{path}:{line}", f"is not plain YAML ({error.problem})", "use plain values only"
        ) from error
    return content


def _collect_lines(
    path: Path, node: yaml.Node, location: Location, lines: dict[Location, int]
) -> None:
    """Record the line of each key below `node`; refuse a key that stands twice."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*location, key.value)
            line = key.start_mark.line + 1
            if here in lines:
                raise InputError(
                    f"{path}:{line}",
                    f"the key {key.value} stands twice, first at line {lines[here]}",
                    "keep one of them",
                )
            lines[here] = line
            _collect_lines(path, value, here, lines)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            lines[(*location, position)] = value.start_mark.line + 1
            _collect_lines(path, value, (*location, position), lines)


def input_error(
    file: YamlFile, error: ValidationError, model: type[BaseModel], prefix: Location = ()
) -> InputError:
    """The first complaint of a validation as one line with place, problem and remedy.

    Parameters
    ----------
    file : YamlFile
        Where the settings came from.
    error : ValidationError
        What pydantic found.
    model : type of BaseModel
        The settings class that was filled; its fields give the nearest known key.
    prefix : tuple of str or int
        Location of the section that was validated.

    Returns
    -------
    InputError
        Ready to be raised.
    """
    # Unknown keys first: a misspelt key often causes the "missing" beside it.
    complaints = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    complaint = complaints[0]
    location = (*prefix, *(part for part in complaint["loc"] if _is_in_file(file, part)))
    name = ".".join(str(part) for part in location)
    kind = complaint["type"]
    if kind == "extra_forbidden":
        known = _fields_at(model, complaint["loc"][:-1])
        near = difflib.get_close_matches(str(complaint["loc"][-1]), known, n=1, cutoff=0.4)
        remedy = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(sorted(known))}"
        return InputError(file.place(location), f"unknown key {name}", remedy)
    if kind == "missing":
        missing = ".".join(str(part) for part in (*prefix, *complaint["loc"]))
        return InputError(
            file.place(location), f"{missing} is missing", f"add {complaint['loc'][-1]}: ..."
        )
    message = complaint["msg"].removeprefix("Value error, ")
    problem, _, remedy = message.partition("; ")
    return InputError(file.place(location), f"{name}: {problem}", remedy or "correct the value")


def _is_in_file(file: YamlFile, part: str | int) -> bool:
    """Whether a part of a location is a key of the file, not a name that pydantic added."""
    return isinstance(part, int) or any(part in location for location in file.lines)


def _fields_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Names that the settings class at `location` below `model` knows."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    node = schema
    for part in location:
        node = _resolve(node, definitions)
        node = node.get("items", {}) if isinstance(part, int) else _child(node, part)
    return list(_resolve(node, definitions).get("properties", {}))


def _resolve(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """`node` with its reference followed, the non-null branch of an optional taken."""
    for branch in node.get("anyOf", []):
        if branch.get("type") != "null":
            return _resolve(branch, definitions)
    if "$ref" in node:
        return _resolve(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions)
    return node


def _child(node: dict[str, Any], part: str) -> dict[str, Any]:
    """Schema of the key `part` of an object, a mapping's values, or a tagged union's branch."""
    if "oneOf" in node:
        mapping = node.get("discriminator", {}).get("mapping", {})
        return {"$ref": mapping[part]} if part in mapping else node
    properties = node.get("properties", {})
    if part in properties:
        return dict(properties[part])
    extra = node.get("additionalProperties", {})
    return dict(extra) if isinstance(extra, dict) else {}
