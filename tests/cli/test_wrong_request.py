"""A wrong request: exit code 2, one line with file, line and remedy, and nothing is written."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from command import call, launch, one_line
from small_requests import DROP, FAMILIES, activity, bearing, line_of, monitoring

if TYPE_CHECKING:
    from pathlib import Path

    from command import Said


def refused(request: Path, said: Said) -> str:
    """The line after the request's path, once it is sure that nothing was written."""
    assert sorted(path.name for path in request.parent.iterdir()) == ["raw", request.name]
    line = one_line(said)
    assert line.startswith(f"{request}:"), line
    return line.removeprefix(f"{request}:")


def both(request: Path) -> str:
    """The line of ``request check``, which ``run`` must say as well."""
    line = refused(request, call("request", "check", request))
    assert refused(request, call("run", request, "--out", request.parent / "out")) == line
    return line


def _channel(**changes: Any) -> dict[int, Any]:
    return {0: {"channels": {0: changes}}}


# Name: family, changed sections, the text that begins the line in question, the message.
CASES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "no unit": (
        "activity",
        {"data": _channel(unit=DROP)},
        "name: acc_x",
        "data.0.channels.0.unit is missing; add unit: ... (Unit of the numbers in the file,",
    ),
    "unit that is empty": (
        "activity",
        {"data": _channel(unit="")},
        "unit: ''",
        "data.0.channels.0.unit: is empty; write a text",
    ),
    "unit that is a number": (
        "activity",
        {"data": _channel(unit=1, quantity="ratio")},
        "unit: 1",
        "data.0.channels.0.unit: 1 is no text; write it in quotes",
    ),
    "unit of another quantity": (
        "activity",
        {"data": _channel(unit="kg")},
        "name: acc_x",
        "source watch: channel acc_x: the unit kg does not measure acceleration; give",
    ),
    "unknown unit": (
        "activity",
        {"data": _channel(unit="blorps")},
        "name: acc_x",
        "source watch: channel acc_x: unknown unit blorps of acceleration; write it like m/s2",
    ),
    "misspelt quantity": (
        "activity",
        {"data": _channel(quantity="acceleratoin")},
        "name: acc_x",
        "source watch: channel acc_x: unknown quantity acceleratoin; did you mean acceleration?",
    ),
    "unknown section": (
        "activity",
        {"evaluaton": {}},
        "evaluaton:",
        "unknown key evaluaton; did you mean evaluation?",
    ),
    "unknown nested key": (
        "activity",
        {"question": {"familly": "activity"}},
        "familly:",
        "unknown key question.familly; did you mean family?",
    ),
    "unknown key in a list": (
        "activity",
        {"data": _channel(units="m/s2")},
        "units:",
        "unknown key data.0.channels.0.units; did you mean unit?",
    ),
    "unknown key of a union": (
        "activity",
        {"data": {0: {"time": {"rate": 20}}}},
        "rate: 20",
        "unknown key data.0.time.rate; did you mean rate_hz?",
    ),
    "unknown key of a family": (
        "activity",
        {"train": {"windows_s": 2.0}},
        "windows_s:",
        "unknown key train.windows_s; did you mean window_s?",
    ),
    "unknown key deep in a family": (
        "bearing",
        {"train": {"classifier": {"penalty": 1.0}}},
        "penalty:",
        "unknown key train.classifier.penalty; did you mean penalties?",
    ),
    "unknown key below a name": (
        "monitoring",
        {"train": {"models": {"plant": {"component": 2}}}},
        "component: 2",
        "unknown key train.models.plant.component; did you mean components?",
    ),
    "unknown key of a reader": (
        "activity",
        {"data": {0: {"read": {"delimeter": ","}}}},
        "delimeter:",
        "unknown key data.0.read.delimeter; did you mean delimiter?",
    ),
    "key unlike any": (
        "activity",
        {"rights": {"zzz": 1}},
        "zzz:",
        "unknown key rights.zzz; known keys: actor, commercial, consent_register, delete_after",
    ),
    "unknown family": (
        "activity",
        {"question": {"family": "activty"}},
        "family:",
        "no family activty; did you mean activity?",
    ),
    "unknown format": (
        "activity",
        {"data": {0: {"format": "xls"}}},
        "format: xls",
        "no reader for format xls; ",
    ),
    "wrong value of a reader": (
        "activity",
        {"data": {0: {"read": {"decimal": ";"}}}},
        "decimal:",
        "data.0.read.decimal: ';' does not fit; it should be '.' or ','",
    ),
    "random split without a reason": (
        "activity",
        {"evaluation": {"split": {"kind": "random", "by": DROP}}},
        "split:",
        "evaluation.split.because is missing; add because: ... (Why a split that flatters",
    ),
    "random split with an empty reason": (
        "activity",
        {"evaluation": {"split": {"kind": "random", "by": DROP, "because": ""}}},
        "because:",
        "evaluation.split.because: is empty; write a text",
    ),
    "unknown kind of split": (
        "activity",
        {"evaluation": {"split": {"kind": "groups"}}},
        "split:",
        "evaluation.split: no kind groups; use one of 'group', 'time', 'source', 'random'",
    ),
    "split without kind": (
        "activity",
        {"evaluation": {"split": {"kind": DROP}}},
        "split:",
        "evaluation.split: kind is missing; add kind: ...",
    ),
    "split by an unknown attribute": (
        "activity",
        {"evaluation": {"split": {"by": "village"}}},
        "by: village",
        "no source tells village of its recordings; split by one of exercise, person, recording",
    ),
    "split that does not fit the family": (
        "monitoring",
        {"evaluation": {"split": {"kind": "group", "train_first_rows": DROP}}},
        "kind: group",
        "evaluation.split.kind group does not fit monitoring; say which rows or sources",
    ),
    "split by a source that is not there": (
        "monitoring",
        {"evaluation": {"split": {"kind": "source", "train_first_rows": DROP, "train": ["x"]}}},
        "train:",
        "no source x; use plant",
    ),
    "unknown metric in a condition": (
        "activity",
        {"evaluation": {"metrics": {"makro_f1": ">= 0.5"}}},
        "makro_f1:",
        "evaluation.metrics: no metric makro_f1; use ",
    ),
    "condition that is none": (
        "activity",
        {"evaluation": {"metrics": {"macro_f1": "good"}}},
        "metrics:",
        'evaluation.metrics: macro_f1: no condition; write it like ">= 0.8"',
    ),
    "personal data on LUMI": (
        "activity",
        {"rights": {"personal_data": "personal"}, "compute": {"target": "lumi-small-g"}},
        "target:",
        "compute.target lumi-small-g with personal_data personal: LUMI may not ",
    ),
    "nothing that it must not be used for": (
        "activity",
        {"question": {"not_to_be_used_for": []}},
        "not_to_be_used_for:",
        "question.not_to_be_used_for: is empty; give it an entry",
    ),
    "label without meaning": (
        "activity",
        {"data": {0: {"labels": {"exercise": {"meaning": DROP}}}}},
        "exercise:",
        "data.0.labels.exercise.meaning is missing; add meaning: ... (What the label says",
    ),
    "label without origin": (
        "activity",
        {"data": {0: {"labels": {"exercise": {"attribute": DROP}}}}},
        "exercise:",
        "data.0.labels.exercise: the label has no single origin; give column, attribute, value or",
    ),
    "column and pattern of one name": (
        "activity",
        {"data": {0: {"recordings": {"column": "person"}}}},
        "recordings:",
        "data.0.recordings: pattern and column both give the attribute person; rename the group",
    ),
    "label that is not declared": (
        "activity",
        {"train": {"label": "activity"}},
        "label: activity",
        "label activity is no label of the data; declare it with its meaning ",
    ),
    "numbers as keys of values": (
        "activity",
        {"data": {0: {"labels": {"exercise": {"values": {1: "swing"}}}}}},
        "1: swing",
        "data.0.labels.exercise.values.1: 1 is no text; write it in quotes",
    ),
    "unknown feature": (
        "activity",
        {"train": {"features": {"statistic": {}}}},
        "statistic:",
        "no feature statistic; use ",
    ),
    "channel of the family that is not there": (
        "bearing",
        {"train": {"channel": "w"}},
        "channel:",
        "train.channel: no channel w; use v",
    ),
    "stream that is not there": (
        "activity",
        {"train": {"stream": "slow"}},
        "stream:",
        "no stream slow; use main",
    ),
    "more components than channels": (
        "monitoring",
        {"train": {"models": {"plant": {"components": 5}}}},
        "components:",
        "train.models.plant.components is 5 of 5 channels, so SPE would be nothing; use fewer",
    ),
    "two channels of one name": (
        "activity",
        {"data": {0: {"channels": {1: {"name": "acc_x"}}}}},
        "channels:",
        "data.0.channels: two channels are called acc_x; give each its own name",
    ),
    "broken pattern": (
        "activity",
        {"data": {0: {"recordings": {"pattern": "(p"}}}},
        "pattern:",
        "data.0.recordings.pattern: no regular expression (missing ), unterminated",
    ),
    "identity with a blank": (
        "activity",
        {"data": {0: {"id": "my watch"}}},
        "id: my watch",
        "data.0.id: 'my watch' does not fit; write letters, digits and . _ - only",
    ),
    "rate without an end": (
        "activity",
        {"data": {0: {"time": {"rate_hz": float("inf")}}}},
        "rate_hz:",
        "data.0.time.rate_hz: inf does not fit; it should be a finite number",
    ),
    "time with a stamp of neither kind": (
        "activity",
        {"data": {0: {"time": {"kind": "column", "column": "t", "rate_hz": DROP}}}},
        "time:",
        "data.0.time: give unit for numbers or format for text; one of the two",
    ),
    "missing file": (
        "monitoring",
        {"data": {0: {"source": "raw/factory.csv"}}},
        "source:",
        "source plant: no file matches raw/factory.csv; check the path; it starts at the request",
    ),
    "missing package": (
        "monitoring",
        {"data": {0: {"source": "package:no_such_package/a.csv"}}},
        "id: plant",
        "source plant: the package no_such_package is not installed; install it",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_request_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    family, changes, begin, message = CASES[name]
    request = FAMILIES[family](tmp_path, **changes)
    number, line = both(request).split(": ", 1)
    assert line.startswith(message)
    assert request.read_text().splitlines()[int(number) - 1].lstrip(" -").startswith(begin)


TEXTS = {
    "a key twice": ("id: small-activity", "id: a\nid: b", "3: the key id stands twice, first at"),
    "a tag": ("id: small-activity", "id: !!python/name:os.system x", "2: is not plain YAML ("),
    "no YAML": ("id: small-activity", "id: [a", "3: is not YAML ("),
    "a tab": ("id: small-activity", "id: a\n\tb: c", "3: is not YAML ("),
    "a sign that YAML lacks": ("id: small", "id: \x07", "2: holds the sign U+0007, which YAML"),
    "a date that is none": ("id: small-activity", "id: 2025-02-30", " a value cannot be read (day"),
    "a date": ("title: A", "title: 2025-02-03 #", "3: title: datetime.date(2025, 2, 3) is no text"),
    "yes": ("title: A", "title: yes #", "3: title: True is no text; write it in quotes"),
    "a key that is a list": ("id: small", "? [a, b]\n: 1\nid: x", "2: a key is no plain text; use"),
    "an alias within itself": ("id: small", "x: &x [*x]\nid: x", "2: holds aliases that never end"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_wrong_yaml_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    old, new, message = TEXTS[name]
    request = activity(tmp_path)
    request.write_text(request.read_text().replace(old, new, 1))
    assert both(request).startswith(message)


def test_aliases_of_aliases_are_refused_before_they_fill_the_memory(tmp_path: Path) -> None:
    request = activity(tmp_path)
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"{new}: &{new} [{', '.join(9 * [f'*{old}'])}]" for old, new in pairwise("abcdefg")]
    request.write_text("\n".join([*lines, request.read_text()]))
    assert "holds aliases that never end or expand to too much; write the" in both(request)


@pytest.mark.parametrize(
    ("text", "message"), [("", "holds no mapping of keys"), ("- 1\n", "holds")]
)
def test_a_file_without_keys_is_refused(tmp_path: Path, text: str, message: str) -> None:
    request = activity(tmp_path)
    request.write_text(text)
    assert both(request).startswith(f"1: {message}")


def test_a_request_that_is_not_text_is_refused(tmp_path: Path) -> None:
    request = activity(tmp_path)
    request.write_bytes(b"id: \xff\xfe\n")
    assert both(request) == " is not UTF-8 text; save it as UTF-8"


def test_a_request_that_is_not_there_is_refused(tmp_path: Path) -> None:
    line = one_line(call("run", tmp_path / "none.yaml", "--out", tmp_path / "out"))
    problem = "cannot be read (No such file or directory); check the path"
    assert line == f"{tmp_path / 'none.yaml'}: {problem}"
    assert not list(tmp_path.iterdir())


def test_every_verb_refuses_a_wrong_request(tmp_path: Path) -> None:
    request = activity(tmp_path, data=_channel(unit=DROP))
    for verb in ("prepare", "train", "score", "report", "plan"):
        line = refused(request, call(verb, request, "--out", tmp_path / "out"))
        assert line.startswith(f"{line_of(request, 'name: acc_x')}: data.0.channels.0.unit is")


@pytest.mark.slow
def test_a_process_says_the_same_and_ends_with_two(tmp_path: Path) -> None:
    request = activity(tmp_path, data=_channel(unit=DROP))
    line = refused(request, launch("run", request, "--out", tmp_path / "out"))
    assert line == both(request)


def test_an_unknown_profile_is_refused(tmp_path: Path) -> None:
    said = call("run", monitoring(tmp_path), "--out", tmp_path / "out", "--profile", "lapdog")
    known = "laptop, lumi, roihu"
    told = f"--profile lapdog: there is no such profile; use {known} or a path to one"
    assert one_line(said) == told
    assert not (tmp_path / "out").exists()


def test_a_good_request_is_well_formed_and_nothing_is_written(tmp_path: Path) -> None:
    for family in (activity, monitoring, bearing):
        folder = tmp_path / family.__name__
        folder.mkdir()
        request = family(folder)
        said = call("request", "check", request)
        assert (said.code, said.err) == (0, "")
        assert "the request is well formed" in said.out
        assert sorted(path.name for path in folder.iterdir()) == ["raw", "request.yaml"]
