from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from lumipipe.reporting.parts import Interval, printable
from lumipipe.reporting.result import Result, schema_text
from reporting.example import example


def test_a_result_survives_the_way_through_json():
    result = Result.model_validate(example())
    assert Result.model_validate_json(result.model_dump_json()) == result
    assert Result.model_validate(json.loads(json.dumps(example()))) == result


def test_the_schema_describes_every_field():
    schema = json.loads(schema_text())
    assert schema_text() == schema_text()
    for name, part in [("Result", schema), *schema["$defs"].items()]:
        for field, said in part["properties"].items():
            assert "description" in said or field == "kind", f"{name}.{field}"


def test_a_whole_number_stays_whole_and_a_word_stays_a_word():
    result = Result.model_validate(example())
    values = result.units[1].values
    assert type(values["Windows"]) is int
    assert values["Load"] == "0 kW"
    assert isinstance(values["Score (1)"], Interval)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_are_finite(number):
    data = example()
    data["metrics"][0]["value"] = number
    with pytest.raises(ValidationError, match="finite"):
        Result.model_validate(data)


def test_unknown_keys_are_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        Result.model_validate({**example(), "verdikt": "supported"})


def test_an_empty_list_of_open_questions_needs_a_reason():
    data = {**example(), "not_answered": []}
    with pytest.raises(ValidationError, match="not_answered_reason"):
        Result.model_validate(data)
    Result.model_validate({**data, "not_answered_reason": "One question, and it is answered."})


def test_an_interval_rises():
    with pytest.raises(ValidationError, match="lower <= upper"):
        Interval(value=1.0, lower=2.0, upper=1.0)


def test_characters_that_a_page_cannot_carry_are_replaced():
    assert printable("a\x00b\u202ec\ud800") == "a\ufffdb\ufffdc\ufffd"
    assert printable("T² ≥ 3 µm\n") == "T² ≥ 3 µm\n"


def _figure(data, kind):
    return next(f for s in data["sections"] for f in s.get("figures", []) if f["kind"] == kind)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("spectrum", {"y": [1.0]}, "equally long"),
        ("chart", {"panels": []}, "one of the two"),
        ("chart", {"panels": [{"y": [1.0], "y_label": "T²"}]}, "equally long"),
        ("chart", {"panels": [{"y": [1.0], "y_label": "T²", "alarms": [1]}]}, "after the last"),
        ("chart", {"log_y": True}, "into each panel"),
        ("confusion", {"labels": ["one"]}, "rows and columns"),
        ("bars", {"second": [1.0]}, "equally long"),
        ("table", {"columns": [{"label": "one"}]}, "cells"),
        ("table", {"alt": ""}, "at least 1"),
        ("table", {"kind": "pie"}, "kind"),
    ],
)
def test_a_figure_that_does_not_fit_together_is_refused(kind, change, message):
    data = example()
    _figure(data, kind).update(change)
    with pytest.raises(ValidationError, match=message):
        Result.model_validate(data)
