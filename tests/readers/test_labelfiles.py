"""Labels in a file of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from lumipipe.config import Label, Source
from lumipipe.errors import InputError
from lumipipe.readers.labelfiles import label_digests, label_files, labels_from_file

if TYPE_CHECKING:
    from pathlib import Path

PUMPS = [
    {"recording": f"{unit}-{part}", "unit": unit, "pump": unit.removeprefix("P"), "part": part}
    for unit in ("P1", "P2", "P03")
    for part in "ab"
]


LENIENT = {"spare": "leave_out"}


def told(
    folder: Path, content: str, keys: dict[str, Any] | None = None, count: int | None = None
) -> list[str]:
    """The labels that a file tells of the first pumps."""
    (folder / "told.csv").write_text(content)
    label = Label.model_validate({"file": "told.csv", "meaning": "m", **(keys or {})})
    return labels_from_file(label, folder / "told.csv", PUMPS[:count], "source s: label k")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("112 \n98 \n69 \n", ["112", "98", "69"]),  # blanks at line ends, as in RUL_FD001.txt
        ("good\nnot so good\ngood", ["good", "not so good", "good"]),
        ("1.5\n2\n1e3\n", ["1.5", "2", "1000"]),
    ],
)
def test_one_value_a_line_in_the_order_of_recordings(
    tmp_path: Path, content: str, expected: list[str]
) -> None:
    assert told(tmp_path, content, count=3) == expected


def test_a_named_column_in_the_order_of_recordings(tmp_path: Path) -> None:
    content = "part;left\nx;1,5\ny;2,5\n"
    assert told(tmp_path, content, {"column": "left"}, 2) == ["1.5", "2.5"]


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        ("unit,date\nP1,2025-08-12\nP2,2025-09-01\nP03,2025-10-02\n", {"by": "unit"}),
        (
            "unit;date;who\nP2;2025-09-01;x\nP1;2025-08-12;y\nP03;2025-10-02;z\n",
            {"by": "unit", "column": "date"},
        ),
        (
            "Pump no.,date\n1.0,2025-08-12\n2.0,2025-09-01\n3.0,2025-10-02\n",
            {"by": "pump", "key": "Pump no."},  # numbers match however they are written
        ),
        (
            "unit,date\nP1,2025-08-12\nP2,2025-09-01\nP2,2025-09-01\n",  # twice, but likewise
            {"by": "unit", "otherwise": "2025-10-02"},
        ),
    ],
)
def test_rows_that_name_their_unit(tmp_path: Path, content: str, keys: dict[str, str]) -> None:
    expected = [date for date in ("2025-08-12", "2025-09-01", "2025-10-02") for _ in "ab"]
    assert told(tmp_path, content, keys) == expected


def test_values_get_the_names_of_the_report(tmp_path: Path) -> None:
    content = "recording,state\n" + "".join(
        f"{p['recording']},{i % 2}\n" for i, p in enumerate(PUMPS)
    )
    found = told(tmp_path, content, {"by": "recording", "values": {"0.0": "open", "1": "shut"}})
    assert found == ["open", "shut"] * 3


@pytest.mark.parametrize(
    ("content", "keys", "message"),
    [
        ("1\n2\n", {}, "told.csv: has 2 rows for 6 recordings; give one row for each, or let"),
        ("1\n" * 7, {}, "told.csv: has 7 rows for 6 recordings"),
        ("1;2\n" * 6, {}, "told.csv: has 2 columns that may hold the label: c1, c2; name one"),
        ("a\n" * 7, {"column": "b"}, "told.csv: has no column b"),
        ("unit,k\nP1,a\nP2,b\n", {"by": "unit"}, "told.csv: has no row for unit P03; add it, or"),
        (
            "unit,k\nP1,a\nP2,b\nP03,a\nP3,c\nP9,c\n",
            {"by": "unit"},
            "told.csv: line 5 is about unit P3, which no recording has; 2 such rows; mend",
        ),
        (
            "unit,k\nP1,a\nP2,b\nP03,a\nP1,b\n",
            {"by": "unit"},
            "told.csv: line 5 says b of unit P1, line 2 says a; keep one of the rows",
        ),
        ("unit,k\nP1,a\n", {"by": "plant"}, "source s: label k: recording P1-a has no plant"),
        ("pump,k\nP1,a\n", {"by": "unit"}, "told.csv: has no column unit; its columns: pump, k"),
        (
            "unit,k\nP1,a\nP2,b\nP03,c\n",
            {"by": "unit", "values": {"a": "A", "b": "B"}},
            "source s: label k: told.csv has the value 'c', which values does not name",
        ),
        ("1,5\n" * 6, {}, "2 dialects explain every number"),
        ("1\n" * 6, {"read": {"headr": 1}}, "source s: label k: read.headr: Extra inputs"),
    ],
)
def test_what_does_not_fit_is_one_line(
    tmp_path: Path, content: str, keys: dict[str, object], message: str
) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError) as caught:
        told(tmp_path, content, keys)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_declared_dialect_settles_what_is_not_proven(tmp_path: Path) -> None:
    found = told(tmp_path, "1,5\n2,5\n", {"read": {"delimiter": ";", "decimal": ","}}, 2)
    assert found == ["1.5", "2.5"]


def test_a_number_stands_for_a_name_only_if_it_is_one(tmp_path: Path) -> None:
    content = "pump,k\n1,a\n2.0,b\n3,c\n03,d\n"
    assert told(tmp_path, content, {"by": "pump", "spare": "leave_out"}) == list("aabbdd")
    with pytest.raises(InputError, match="has no row for pump 03"):
        told(tmp_path, content.replace("03", "003"), {"by": "pump"})


def test_rows_that_are_not_needed_may_be_left_out(tmp_path: Path) -> None:
    assert told(tmp_path, "1\n2\n3\n", LENIENT, 2) == ["1", "2"]
    found = told(tmp_path, "unit,k\nP1,a\nP9,b\n", LENIENT | {"by": "unit"}, 2)
    assert found == ["a", "a"]
    with pytest.raises(InputError, match="has 1 rows for 2 recordings"):
        told(tmp_path, "1\n", LENIENT, 2)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"file": "a", "value": "b"}, "no single origin; give column, attribute, value or file"),
        ({"column": "a", "by": "unit"}, "by is set but file is not"),
        ({"file": "a", "key": "unit"}, "key is set but by is not"),
        ({"file": "a", "otherwise": "b"}, "otherwise is set but by is not"),
        ({"value": "a", "spare": "refuse"}, "spare is set but file is not"),
    ],
)
def test_keys_that_mean_nothing_together_are_refused(keys: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Label.model_validate({"meaning": "m", **keys})


def source(**keys: object) -> Source:
    plain = {
        "id": "s",
        "source": "*.txt",
        "format": "text",
        "time": {"kind": "order", "row": "r"},
        "channels": [{"name": "x", "quantity": "ratio", "unit": "1"}],
    }
    return Source.model_validate(plain | keys)


def test_files_and_their_digests(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1\n")
    (tmp_path / "b.csv").write_text("1\n")
    label = {"file": "a.csv", "meaning": "m"}
    assert label_files(source(labels={"k": label}), tmp_path) == {"k": tmp_path / "a.csv"}
    assert label_files(source(), tmp_path) == {}
    # SHA-256 of the two bytes "1\n", by sha256sum.
    one = "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"
    assert label_digests(source(labels={"k": label}), tmp_path) == {"a.csv": one}
    pinned = source(labels={"k": label}, sha256={"x.txt": "0" * 64})
    with pytest.raises(InputError, match=r"a\.csv: source s declares no digest of this file"):
        label_digests(pinned, tmp_path)
    # One digest for a source is that of its only file with samples.
    assert label_digests(pinned.model_copy(update={"sha256": "0" * 64}), tmp_path) == {"a.csv": one}
    for name, message in (("c.csv", "no file matches c.csv"), ("*.csv", "2 files match")):
        with pytest.raises(InputError, match=rf"source s: label k: .*{re.escape(message)}"):
            label_files(source(labels={"k": label | {"file": name}}), tmp_path)
