"""A YAML file with the line of each of its keys, so that an error can name the place.

What the keys mean is in `lumipipe.config`.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import yaml

from lumipipe.config import PATTERNS
from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    Location = tuple[str | int, ...]

_DEEPEST = 40  # keys within keys; an alias that holds itself would never end
_MOST_KEYS = 100_000  # a few lines of aliases of aliases can stand for more than fits in memory
_BRACKETS = re.compile(r"[\[\]{}]")
_MOST_BRACKETS = 100  # open at a time
_MOST_BYTES = 2**16  # PyYAML takes up to half a second for so many keys
_LONGEST_NUMBER = 100  # 59:59:59 is a number to YAML, and long ones of the kind take minutes
_KEY_PATH = re.compile(r"[a-z][a-z0-9_]*(?:\.[A-Za-z0-9_-]+)*")
_LONGEST_SHOWN = 60


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

    def place_told(self, problem: str, location: Sequence[str | int] = ()) -> str:
        """``file:line`` of the key that a problem names, below `location` where it names none.

        A problem names a key by its whole path in the first word (train.models.main), or by a
        word that is a key somewhere below.
        """
        words = [word.rstrip(":") for word in problem.split()]
        path = tuple(words[0].split(".")) if words and _KEY_PATH.fullmatch(words[0]) else ()
        known = tuple(location)
        if path and path[:1] in self.lines:
            known = path
        below = {where[-1]: where for where in reversed(self.lines) if where[: len(known)] == known}
        deeper = [below[word] for word in words if word in below and len(below[word]) > len(known)]
        return self.place(deeper[0] if known and deeper else known)


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
        If the file is missing, empty, large, not a mapping, not YAML, or has a key twice.
    """
    try:
        is_large = path.stat().st_size > _MOST_BYTES
        text = "" if is_large else path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            str(path), f"cannot be read ({error.strerror})", "check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(str(path), "is not UTF-8 text", "save it as UTF-8") from error
    if is_large:
        raise InputError(
            str(path), f"has more than {_MOST_BYTES} bytes", "keep data and long lists in files"
        )
    return parse_yaml(path, text)


def parse_yaml(path: Path, text: str) -> YamlFile:
    """The mapping in the text of a YAML file, as `read_yaml` gives it.

    Parameters
    ----------
    path : Path
        Where the text is from or will be, for messages.
    text : str
        The content.

    Returns
    -------
    YamlFile
        Content and lines.

    Raises
    ------
    InputError
        As `read_yaml`.
    """
    try:
        loader = _Loader(text)
        _refuse_depth(text)
        node = loader.get_single_node()
    except RecursionError as error:
        raise InputError(str(path), "is nested too deep", "write it with fewer levels") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(
            f"{path}:{line}", f"is not YAML ({error.problem})", "mend the syntax at that line"
        ) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(
            f"{path}:{line}",
            f"holds the sign U+{ord(text[error.position]):04X}, which YAML does not allow",
            "take it out",
        ) from error
    if not isinstance(node, yaml.MappingNode):
        raise InputError(f"{path}:1", "holds no mapping of keys", "start with lumipipe_request: 1")
    lines: dict[Location, int] = {}
    _collect_lines(path, node, (), lines)
    return YamlFile(path, _construct(path, loader, node), lines)


def _refuse_depth(text: str) -> None:
    """Refuse brackets in brackets before PyYAML looks for keys in each of them."""
    depth = 0
    for bracket in _BRACKETS.findall(text):
        depth += 1 if bracket in "[{" else -1
        if depth > _MOST_BRACKETS:
            raise RecursionError


class _Loader(yaml.SafeLoader):
    """PyYAML's loader of plain values, but for numbers that take seconds to compute."""

    def _checked(self, node: yaml.ScalarNode) -> yaml.ScalarNode:
        if len(node.value) > _LONGEST_NUMBER:
            raise yaml.constructor.ConstructorError(
                None, None, f"a number of {len(node.value)} signs", node.start_mark
            )
        return node

    def whole(self, node: yaml.ScalarNode) -> int:
        """A whole number."""
        return int(self.construct_yaml_int(self._checked(node)))

    def real(self, node: yaml.ScalarNode) -> float:
        """A number."""
        return float(self.construct_yaml_float(self._checked(node)))


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.whole)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.real)


def _construct(path: Path, loader: _Loader, node: yaml.Node) -> dict[str, Any]:
    """The plain content of YAML text; tags that would build objects are refused."""
    try:
        content: dict[str, Any] = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(
            f"{path}:{line}", f"is not plain YAML ({error.problem})", "use plain values only"
        ) from error
    except ValueError as error:  # such as the date 2025-02-30
        raise InputError(
            str(path), f"a value cannot be read ({error})", "write it in quotes"
        ) from error
    return content


def _collect_lines(
    path: Path, node: yaml.Node, location: Location, lines: dict[Location, int]
) -> None:
    """Record the line of each key below `node`; refuse a key that stands twice."""
    if len(location) > _DEEPEST or len(lines) > _MOST_KEYS:
        raise InputError(
            f"{path}:{node.start_mark.line + 1}",
            "holds aliases that never end or expand to too much",
            "write the content out",
        )
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise InputError(f"{path}:{line}", "a key is no plain text", "use plain keys")
            here = (*location, key.value)
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
    kind, found = complaint["type"], complaint["loc"]
    location = _in_file(file, (*prefix, *found))
    name = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        known = _fields_at(model, found[:-1])
        near = difflib.get_close_matches(str(found[-1]), known, n=1, cutoff=0.4)
        remedy = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(sorted(known))}"
        return InputError(file.place(location), f"unknown key {name}", remedy)
    if kind == "missing":
        names = _missing_beside(complaint, complaints)
        return _missing(file, location, names, _fields_at(model, found[:-1]))
    problem, remedy = _in_words(complaint)
    if not location:
        return InputError(file.place_told(problem), problem, remedy)
    return InputError(file.place(location), f"{name}: {problem}", remedy)


def _missing_beside(complaint: ErrorDetails, complaints: Sequence[ErrorDetails]) -> list[str]:
    """Names of the keys that are missing in the section of a missing one, that one first."""
    section = complaint["loc"][:-1]
    return [
        str(other["loc"][-1])
        for other in complaints
        if other["type"] == "missing" and other["loc"][:-1] == section
    ]


def _missing(
    file: YamlFile, location: Location, names: Sequence[str], meanings: dict[str, str]
) -> InputError:
    """Keys of one section that are missing, all at once."""
    name = ".".join(str(part) for part in (*location, names[0]))
    if len(names) > 1:
        told = f"{', '.join([name, *names[1:-1]])} and {names[-1]} are missing"
        remedy = f"add {', '.join(f'{own}: ...' for own in names)}"
        return InputError(file.place(location), told, remedy)
    meaning = meanings.get(names[0], "")
    remedy = f"add {names[0]}: ..." + (f" ({meaning.rstrip('.')})" if meaning else "")
    return InputError(file.place(location), f"{name} is missing", remedy)


def _in_words(complaint: ErrorDetails) -> tuple[str, str]:
    """Problem and remedy of what pydantic says about a value."""
    kind, message, given = complaint["type"], complaint["msg"], complaint["input"]
    facts = complaint.get("ctx", {})
    shown = repr(given) if len(repr(given)) <= _LONGEST_SHOWN else f"a {type(given).__name__}"
    pattern = str(facts.get("pattern"))
    table = {
        "union_tag_not_found": ("kind is missing", "add kind: ..."),
        "union_tag_invalid": (
            f"no kind {facts.get('tag')}",
            f"use one of {facts.get('expected_tags')}",
        ),
        "string_too_short": ("is empty", "write a text"),
        "too_short": ("is empty", "give it an entry"),
        "model_type": (f"{shown} does not fit", "write it as keys with values"),
        "string_pattern_mismatch": (
            f"{shown} does not fit",
            f"write {PATTERNS.get(pattern, f'what matches {pattern}')}",
        ),
    }
    if kind in table:
        return table[kind]
    if kind == "string_type" and isinstance(given, bool | int | float | date):
        return f"{shown} is no text", "write it in quotes"
    if kind == "value_error":
        problem, _, remedy = message.removeprefix("Value error, ").partition("; ")
        return problem, remedy or "correct the value"
    return f"{shown} does not fit", f"it {message[message.find('should') :]}"


def _in_file(file: YamlFile, location: Location) -> Location:
    """The keys and positions of a location that the file has, without pydantic's own names."""
    known: Location = ()
    node: Any = file.content
    after_tag = False
    part: Any
    for part in location:
        # The name of a union's branch is no key, but a key of the same name may follow it.
        is_tag = isinstance(node, dict) and node.get("kind") == part and not after_tag
        here = next((key for key in (part, str(part)) if (*known, key) in file.lines), None)
        after_tag = is_tag
        if here is not None and not is_tag:
            known = (*known, here)
            node = node[part] if isinstance(node, dict | list) else None
    return known


def _fields_at(model: type[BaseModel], location: Sequence[str | int]) -> dict[str, str]:
    """Names that the settings class at `location` below `model` knows, with their meaning."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    node = schema
    for part in location:
        node = _resolve(node, definitions)
        if isinstance(part, str) and _is_branch(part, str(node.get("title"))):
            continue
        node = node.get("items", {}) if isinstance(part, int) else _child(node, part)
    fields = _resolve(node, definitions).get("properties", {})
    return {name: field.get("description", "") for name, field in fields.items()}


def _is_branch(part: str, title: str) -> bool:
    """Whether pydantic calls a union's branch so: Name, or function-after[check(), Name]."""
    return part == title or part.endswith(f" {title}]")


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
    # A mapping with checked keys has its values under their pattern.
    values = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    return dict(values[0]) if isinstance(values[0], dict) else {}
