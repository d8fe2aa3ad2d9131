"""What a skeleton says for each family: the question, the split, and its own sections.

The sections are written from the family's settings, so that a new family has a skeleton too; what
can be told from the data is filled in here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from pydantic_core import PydanticUndefined

from lumipipe.config import Settings
from lumipipe.tasks import skeleton_people as people
from lumipipe.tasks.request import TO_FILL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic.fields import FieldInfo

    from lumipipe.tasks.skeleton import SourceToUse

_WIDEST = 96  # of a line with a comment
_MOST_COMPONENTS = 5


class Question(NamedTuple):
    """Words of the question."""

    title: str
    decision: str
    unit: str
    never: list[str]


_DIAGNOSIS = ["diagnosis"]
_QUESTIONS = {
    "monitoring": Question(
        "Does it still run as it did?",
        "let it run, or look for the cause",
        "one row",
        ["safety shutdown"],
    ),
    "bearing": Question(
        "Is the bearing sound?",
        "let it run, or plan to change it",
        "one recording",
        ["safety shutdown"],
    ),
    "activity": Question("Which activity is it?", TO_FILL, "one window", _DIAGNOSIS),
    "session_load": Question(
        "How hard was the session?", "plan the next sessions", "one session", _DIAGNOSIS
    ),
    "hrv": Question(
        "How variable is the heartbeat?",
        "plan training or rest, beside other signs",
        "one recording",
        _DIAGNOSIS,
    ),
    "ambient": Question(
        "Is the sensor as good as its reference?",
        "rely on the sensor alone, or calibrate it again",
        "one period",
        ["legal proof of a limit"],
    ),
    "carbon": Question(
        "How much was emitted?",
        "report the total, or find its causes",
        "the whole of the data",
        [TO_FILL],
    ),
    "emission": Question(
        "Does the model replace the analyser?",
        "rely on the model, or keep the analyser",
        "one average",
        ["legal proof of a limit"],
    ),
    "recipe": Question(
        "Which mix reaches the strength?",
        "try a mix in the laboratory",
        "one mix",
        ["release of a product"],
    ),
    "remaining_life": Question(
        "How long will it last?", "plan when to replace it", "one unit", ["safety shutdown"]
    ),
    "soft_sensor": Question(
        "Do the readings tell the quality?",
        "wait for the laboratory, or act before",
        "one sample",
        ["release of a product"],
    ),
    "technique": Question("Which technique is it?", "plan training", "one window", _DIAGNOSIS),
    "esports": Question(
        "How intense is the play?", "plan training", "one game", ["selection of players"]
    ),
}
NO_SPLIT_KNOWN: tuple[dict[str, Any], ...] = (
    {"kind": "none"},
    {"kind": "group", "by": "unit"},
    {"kind": "group", "by": "recording"},
)
"""Splits that are tried for a family that is not known here, in this order."""
_NO_SPLIT = {"carbon", "esports", "hrv", "session_load"}
_BY_TIME = {"monitoring", "soft_sensor", "emission"}
_OWN_SPLIT: dict[str, dict[str, Any]] = {
    "ambient": {"kind": "time", "train_first_s": 2_419_200},
    "recipe": {"kind": "group", "by": "mix"},
}
_BY_UNIT = {"activity", "bearing", "remaining_life", "technique"}


def question_of(family: str) -> Question:
    """Words of the question that a family answers."""
    return _QUESTIONS.get(family, Question(TO_FILL, TO_FILL, TO_FILL, [TO_FILL]))


def evaluation_of(family: str, source: SourceToUse) -> list[dict[str, Any]]:
    """The split of a family; empty where it is not known here.

    Parameters
    ----------
    family : str
        Name from the registry of families.
    source : SourceToUse
        The data.

    Returns
    -------
    list of dict
        Sections `split` to try, the first that fits is taken.
    """
    if family in _NO_SPLIT:
        return [{"kind": "none"}]
    if family in _BY_TIME:
        return [{"kind": "time", "train_first_rows": max(source.rows // 2, 1)}]
    if family == "technique" and not people.learns_technique(source):
        return [{"kind": "none"}]
    if family in _OWN_SPLIT:
        return [_OWN_SPLIT[family]]
    if family in _BY_UNIT:
        return [{"kind": "group", "by": "unit"}]
    return []


def filled_by(family: str, source: SourceToUse) -> dict[str, dict[str, Any]]:
    """Settings of a family that can be told from the data, by section.

    Parameters
    ----------
    family : str
        Name from the registry of families.
    source : SourceToUse
        The data.

    Returns
    -------
    dict of str to dict
        Section to key to value.
    """
    maker = _FILLED.get(family)
    return {} if maker is None else maker(source)


def _monitoring(source: SourceToUse) -> dict[str, dict[str, Any]]:
    """A model of fewer components than channels."""
    used = len(source.used())
    components = max(min(_MOST_COMPONENTS, used // 2), 1) if used > 1 else TO_FILL
    return {"train": {"models": {"main": {"kind": "pca", "components": components}}}}


def _recipe(source: SourceToUse) -> dict[str, dict[str, Any]]:
    """What each column is made of, but for the last, which may be the target."""
    materials = {name: {"kind": TO_FILL, "origin": TO_FILL} for name in source.used()[:-1]}
    specification = {"at_least": TO_FILL}
    return {
        "asset": {"materials": materials or TO_FILL},
        "score": {"specification": specification},
    }


def _carbon(source: SourceToUse) -> dict[str, dict[str, Any]]:
    """One meter, one factor and one activity, as a form to be continued."""
    first = next(iter(source.used()), TO_FILL)
    meter = dict.fromkeys(("expanded", "k", "source"), TO_FILL)
    factor = ("value", "unit", "expanded", "k", "source", "year", "scope", "boundary")
    activity = {"channel": first, "kind": TO_FILL, "meter": "meter", "factor": "factor"}
    return {
        "train": {
            "meters": {"meter": meter},
            "factors": {"factor": dict.fromkeys(factor, TO_FILL)},
            "activities": {"activity": activity},
        }
    }


def _soft_sensor(source: SourceToUse) -> dict[str, dict[str, Any]]:
    """One target."""
    del source
    return {"train": {"targets": [TO_FILL]}}


def _activity(source: SourceToUse) -> dict[str, dict[str, Any]]:
    """Windows of a few seconds."""
    del source
    return {"train": {"label": "activity", "window_s": 4.0, "hop_s": 1.0}}


def _bearing(source: SourceToUse) -> dict[str, dict[str, Any]]:
    """The first channel, and a band that its rate can carry."""
    filled: dict[str, Any] = {"channel": (source.used() or [TO_FILL])[0]}
    if source.rate_hz is not None and source.rate_hz < 12_500:  # noqa: PLR2004 (2.5 times 5 kHz)
        filled["band_hz"] = [round(0.1 * source.rate_hz), round(0.4 * source.rate_hz)]
    speed = {"attribute": TO_FILL}  # or by a label, with nominal speeds
    return {"train": filled, "asset": {"speed": speed}}


def _ambient(source: SourceToUse) -> dict[str, dict[str, Any]]:
    """What ends a calibration."""
    del source
    return {"score": {"largest_bias": TO_FILL}}


_FILLED: dict[str, Callable[[SourceToUse], dict[str, dict[str, Any]]]] = {
    "monitoring": _monitoring,
    "activity": _activity,
    "ambient": _ambient,
    "bearing": _bearing,
    "carbon": _carbon,
    "recipe": _recipe,
    "soft_sensor": _soft_sensor,
    "session_load": people.session_load,
    "hrv": people.hrv,
    "technique": people.technique,
    "esports": people.esports,
}


def section_lines(name: str, model: type[Settings], filled: dict[str, Any]) -> list[str]:
    """A section of a family as lines of YAML.

    Parameters
    ----------
    name : str
        asset, train or score.
    model : type of Settings
        Its settings.
    filled : dict
        Keys that are known.

    Returns
    -------
    list of str
        What must be given, known or "?"; all other keys with their defaults, commented out.
    """
    fields = list(_fields(model, filled, "  "))
    if not fields:
        return []
    is_empty = all(line.lstrip().startswith("#") for line in fields)
    return [f"# {name}:" if is_empty else f"{name}:", *fields]


def _fields(model: type[Settings], filled: dict[str, Any], indent: str) -> Iterator[str]:
    """The keys of a section: first those that are set, then those that may be."""
    late = []
    for name, item in model.model_fields.items():
        about = " ".join((item.description or "").split())
        inner = _inner(item)
        if name in filled:
            yield from _value_lines(f"{indent}{name}:", filled[name], about)
        elif item.is_required() and inner is not None:
            below = list(_fields(inner, {}, f"{indent}  "))
            is_optional = all(line.lstrip().startswith("#") for line in below)
            yield _line(f"{indent}{name}:{' {}' * is_optional}", about)
            yield from below
        elif item.is_required():
            yield _line(f'{indent}{name}: "{TO_FILL}"', about)
        else:
            late.append(_line(f"{indent}# {name}: {_default(item)}", about))
    yield from late


def _value_lines(key: str, value: Any, about: str) -> Iterator[str]:
    """A key with its value, in one line where that is short enough."""
    line = f"{key} {inline(value)}"
    if not isinstance(value, dict) or len(line) <= _WIDEST:
        yield _line(line, about)
        return
    yield _line(key, about)
    indent = " " * (len(key) - len(key.lstrip()) + 2)
    for name, item in value.items():
        yield from _value_lines(f"{indent}{name}:", item, "")


def _inner(item: FieldInfo) -> type[Settings] | None:
    """The settings that a key holds, where it holds some."""
    found = item.annotation
    return found if isinstance(found, type) and issubclass(found, Settings) else None


def _default(item: FieldInfo) -> str:
    """The default of a key as YAML in one line."""
    value = item.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return TO_FILL
    if isinstance(value, Settings):
        value = value.model_dump(mode="json")
    return inline(json.loads(json.dumps(value, default=str)))


def _line(text: str, about: str) -> str:
    """A key with what it is about, cut where the line would be too long."""
    room = _WIDEST - len(text) - 4
    if not about or room < 20:  # noqa: PLR2004
        return text
    told = about if len(about) <= room else f"{about[: room - 3].rstrip()}..."
    return f"{text}  # {told}"


def inline(value: Any) -> str:
    """A value as YAML in one line.

    >>> print(inline({"unit": "?", "decimal": ","}))
    {unit: "?", decimal: ','}
    """
    dumped = yaml.safe_dump(
        value, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True
    )
    return dumped.removesuffix("\n").removesuffix("\n...").replace("'?'", '"?"')
