"""Tables of limits: what is refused with its line, what is found, and how a row is cited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.errors import InputError
from lumipipe.rules.tables import (
    NOT_VERIFIED,
    Band,
    Rule,
    citation,
    load_rules,
    shipped_rules,
)
from small_requests import DROP

if TYPE_CHECKING:
    from pathlib import Path

# A made-up standard: no limit of a real one stands in a test.
ROW = {
    "standard": "Example 1",
    "edition": "2020",
    "group": "pumps",
    "support": "rigid",
    "quantity": "velocity_rms",
    "unit": "mm/s",
    "band": {"quantity": "frequency", "unit": "Hz", "lower": 10, "upper": 1000},
    "limits": {"A/B": 1.0, "B/C": 2.0},
    "source": "a drawing",
    "entered_by": "first person",
    "checked_by": "second person",
    "checked_on": "2026-03-04",
}


def row(**changes: Any) -> dict[str, Any]:
    """The row with some fields changed; `DROP` takes one out."""
    return {name: value for name, value in (ROW | changes).items() if value is not DROP}


def table(folder: Path, *rows: dict[str, Any], **top: Any) -> str:
    """A file with these rows; its name."""
    form = {"lumipipe_rules": 1, "title": "Example", "rules": list(rows)} | top
    (folder / "limits.yaml").write_text(yaml.safe_dump(form, sort_keys=False), encoding="utf-8")
    return "limits.yaml"


def refusal(folder: Path, *rows: dict[str, Any]) -> str:
    """What is said about a file with these rows."""
    with pytest.raises(InputError) as error:
        load_rules(table(folder, *rows), folder)
    return str(error.value)


def line(folder: Path, text: str) -> str:
    """The place of the first line with a text."""
    lines = (folder / "limits.yaml").read_text(encoding="utf-8").splitlines()
    number = next(n for n, content in enumerate(lines, 1) if text in content)
    return f"limits.yaml:{number}: "


def test_a_checked_row_is_cited_whole(tmp_path: Path) -> None:
    found = load_rules(table(tmp_path, row()), tmp_path).find(quantity="velocity_rms")
    assert found.is_verified
    assert citation(found) == (
        "Example 1 (2020), pumps, rigid support, velocity_rms, frequency from 10 Hz to below "
        "1000 Hz: A/B 1, B/C 2 mm/s; entered by first person from a drawing; "
        "checked by second person on 2026-03-04"
    )


@pytest.mark.parametrize(
    "missing", [{"checked_by": DROP, "checked_on": DROP}, {"edition": DROP}, {"edition": None}]
)
def test_without_checker_or_edition_nothing_is_verified(
    tmp_path: Path, missing: dict[str, Any]
) -> None:
    found = load_rules(table(tmp_path, row(**missing)), tmp_path).find()
    assert not found.is_verified
    assert citation(found).endswith(f"; {NOT_VERIFIED}")
    assert ("edition not stated" in citation(found)) == ("edition" in missing)


@pytest.mark.parametrize(
    ("changes", "text", "problem"),
    [
        ({"standart": "x"}, "standart:", "unknown key rules.0.standart; did you mean standard?"),
        ({"limits": {}}, "limits:", "rules.0.limits: is empty"),
        ({"unit": "mm/zz"}, "unit: mm/zz", "unknown unit"),
        ({"unit": "Pa"}, "unit: Pa", "does not measure velocity_rms"),
        ({"checked_on": DROP}, "- standard", "checked_by and checked_on belong together"),
        ({"checked_by": "first person"}, "- standard", "have somebody else compare it"),
        ({"band": {"quantity": "f", "unit": "Hz"}}, "band:", "the band has no end"),
        (
            {"band": {"quantity": "f", "unit": "Hz", "lower": 2, "upper": 2}},
            "band:",
            "the band does not rise",
        ),
        ({"band": {"quantity": "frequency", "unit": "Pa", "lower": 2}}, "unit: Pa", "does not"),
        ({"limits": {"A/B": [1]}}, "A/B:", "does not fit"),
        ({"checked_on": "yesterday"}, "checked_on:", "does not fit"),
        ({"entered_by": DROP}, "- standard", "rules.0.entered_by is missing"),
    ],
)
def test_a_mistake_has_its_line(
    tmp_path: Path, changes: dict[str, Any], text: str, problem: str
) -> None:
    said = refusal(tmp_path, row(**changes))
    assert problem in said
    assert line(tmp_path, text) in said


def test_two_rows_for_one_thing_are_refused(tmp_path: Path) -> None:
    band = dict(ROW["band"])  # type: ignore[call-overload]
    above, overlapping = band | {"lower": 1000, "upper": None}, band | {"lower": 999, "upper": 2000}
    assert "a second row for Example 1 2020" in refusal(tmp_path, row(), row(band=overlapping))
    assert "a second row" in refusal(tmp_path, row(), row(band=DROP))
    assert "a second row" in refusal(tmp_path, row(), row(band=above | {"unit": "kHz"}))
    found = load_rules(table(tmp_path, row(), row(band=above), row(support="soft")), tmp_path)
    assert len(found.rows) == 3


def test_one_row_is_found_or_the_choice_is_named(tmp_path: Path) -> None:
    upper = {"quantity": "frequency", "unit": "Hz", "lower": 1000}
    found = load_rules(table(tmp_path, row(), row(band=upper, limits={"most": 9})), tmp_path)
    assert found.find(group="pumps", at=999.9).limits == ROW["limits"]
    assert found.find(group="pumps", at=1000.0).limits == {"most": 9}
    with pytest.raises(InputError, match=r"table limits.yaml: has 2 rows for group pumps; say"):
        found.find(group="pumps")
    with pytest.raises(InputError, match=r"has no row for group fans, at 20; rows are: Example 1"):
        found.find(group="fans", at=20.0)
    with pytest.raises(InputError, match="has no row for at 5"):
        found.find(at=5.0)


def test_an_unknown_table_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"score.rules: no table pens; use .*pems"):
        load_rules("pens", tmp_path)


@pytest.mark.parametrize("name", shipped_rules())
def test_no_shipped_row_claims_a_check(name: str) -> None:
    """Until a person has compared a row; then this test names the row and who did."""
    found = load_rules(name)
    assert found.note
    assert [entry.checked_by for entry in found.rows] == [None] * len(found.rows)
    assert all(NOT_VERIFIED in citation(entry) for entry in found.rows)


@pytest.mark.parametrize(("mean", "limits"), [(5, 2), (10, 20), (99.9, 20), (100, 10), (1e4, 10)])
def test_one_band_of_relative_accuracy_holds_each_mean(mean: float, limits: float) -> None:
    assert load_rules("pems").find(group="relative accuracy", at=mean).limits == {"most": limits}


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3, unique=True), st.floats(-2e6, 2e6))
def test_bands_end_to_end_hold_each_value_once(edges: list[float], value: float) -> None:
    low, middle, high = sorted(edges)
    ends = [(None, low), (low, middle), (middle, high), (high, None)]
    bands = [Band(quantity="q", unit="1", lower=lower, upper=upper) for lower, upper in ends]
    assert sum(band.holds(value) for band in bands) == 1


def test_a_limit_may_be_named_and_computed_later() -> None:
    rule = Rule.model_validate(row(limits={"most": "F_critical"}))
    assert "most F_critical" in citation(rule)
