"""Workbooks as people hand them in."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.excel import Options, read

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("python_calamine", reason="workbooks are the extra excel")

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DATE_FORMAT = 22  # of the formats that need no description: day, month, year, hour, minute


def cell(value: object) -> str:
    """A cell of a sheet; ("date", n) is day n of the spreadsheet's calendar."""
    if value is None:
        return "<c/>"
    if isinstance(value, tuple):
        return f'<c s="1"><v>{value[1]}</v></c>'
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
    return f"<c><v>{value!r}</v></c>"


def workbook(file: Path, **sheets: list[list[object]]) -> Path:
    """A small workbook, made by hand."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="a" '
            f'Type="{RELATION}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        listed = "".join(
            f'<sheet name="{name}" sheetId="{n}" r:id="s{n}"/>' for n, name in enumerate(sheets, 1)
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{RELATION}"><sheets>{listed}</sheets></workbook>',
        )
        related = "".join(
            f'<Relationship Id="s{n}" Type="{RELATION}/worksheet" Target="worksheets/{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        styles = f'<Relationship Id="st" Type="{RELATION}/styles" Target="styles.xml"/>'
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE}/relationships">{related}{styles}</Relationships>',
        )
        archive.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{MAIN}"><cellXfs><xf numFmtId="0"/>'
            f'<xf numFmtId="{DATE_FORMAT}"/></cellXfs></styleSheet>',
        )
        for n, rows in enumerate(sheets.values(), 1):
            body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
            archive.writestr(
                f"xl/worksheets/{n}.xml",
                f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>',
            )
    return file


def test_numbers_gaps_text_and_dates(tmp_path: Path) -> None:
    rows = [
        ["load ", "kind", "when", "on"],
        [1.5, "a", ("date", 43465.25), True],
        [None, 2, ("date", 43466), False],
        [None, None, None, None],
    ]
    (table,) = read(workbook(tmp_path / "plant.xlsx", one=rows), Options())
    assert table.name == "plant"
    np.testing.assert_array_equal(table.columns["load"], [1.5, np.nan])
    assert table.columns["kind"].tolist() == ["a", "2"]
    assert table.columns["when"].tolist() == ["2018-12-31T06:00:00", "2019-01-01T00:00:00"]
    assert table.columns["on"].tolist() == ["true", "false"]


def test_another_sheet_without_a_header(tmp_path: Path) -> None:
    book = workbook(tmp_path / "b.xlsx", cover=[["words"]], data=[[1.0, 2.0], [3.0, 4.0]])
    (table,) = read(book, Options(sheet="data", header=0, names=["x", "y"]))
    np.testing.assert_array_equal(table.columns["y"], [2.0, 4.0])
    (table,) = read(book, Options(sheet="data", header=0))
    assert list(table.columns) == ["c1", "c2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sheet": "none"}, "has no sheet none; use one of data"),
        ({"names": ["x"]}, "has 2 columns, names has 1"),
        ({"header": 9}, "has 3 rows, header is 9"),
        ({}, "has two columns x; name the columns in read.names"),
    ],
)
def test_what_is_wrong_is_one_line(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    book = workbook(tmp_path / "b.xlsx", data=[["x", "x"], [1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(InputError) as error:
        next(read(book, Options.model_validate(options)))
    assert message in str(error.value)


def test_a_damaged_or_empty_workbook_is_a_bad_recording(tmp_path: Path) -> None:
    book = workbook(tmp_path / "b.xlsx", data=[["x"], [1.0]])
    (tmp_path / "cut.xlsx").write_bytes(book.read_bytes()[:300])
    with pytest.raises(RecordingError, match="is damaged or no archive"):
        next(read(tmp_path / "cut.xlsx", Options()))
    with pytest.raises(RecordingError, match="has no rows"):
        next(read(workbook(tmp_path / "e.xlsx", data=[["x"]]), Options()))


def test_the_library_is_an_extra(tmp_path: Path) -> None:
    book = workbook(tmp_path / "b.xlsx", data=[["x"], [1.0]])
    with (
        patch.dict("sys.modules", python_calamine=None),
        pytest.raises(InputError, match=r"install lumipipe\[excel\]"),
    ):
        next(read(book, Options()))
