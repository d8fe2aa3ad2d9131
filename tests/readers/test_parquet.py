"""Parquet: number types, stamps, empty cells, what is refused."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.parquet import Options, read

if TYPE_CHECKING:
    from pathlib import Path


def write(file: Path, **columns: object) -> Path:
    """A file with columns."""
    pq.write_table(pa.table(columns), file, write_page_checksum=True)
    return file


def test_types_are_the_files_own(tmp_path: Path) -> None:
    stamp = datetime(2026, 1, 1, tzinfo=UTC)
    file = write(
        tmp_path / "t.parquet",
        whole=pa.array([1, 2], pa.int16()),
        single=pa.array([0.5, None], pa.float32()),
        half=pa.array(np.array([0.5, 2.0], np.float16)),
        on=[True, False],
        price=[Decimal("1.25"), Decimal("2.50")],
        name=["a", None],
        at=pa.array([stamp, stamp], pa.timestamp("ms", "UTC")),
        parts=[[1], [2]],
    )
    (table,) = read(file, Options())
    kinds = {name: str(values.dtype) for name, values in table.columns.items()}
    assert kinds == {
        "whole": "int16",
        "single": "float32",
        "half": "float32",
        "on": "uint8",
        "price": "float64",
        "name": "object",
        "at": "int64",
    }
    np.testing.assert_array_equal(table.columns["single"], np.float32([0.5, np.nan]))
    assert table.columns["name"].tolist() == ["a", ""]
    assert table.columns["at"].tolist() == [1_767_225_600_000] * 2
    assert table.attributes == {
        "unit:at": "ms since 1970",
        "not_read": "parts (list<element: int64>)",
    }


def test_a_unit_in_the_metadata_and_only_what_is_used(tmp_path: Path) -> None:
    schema = pa.schema(
        [pa.field("x", pa.float64(), metadata={"unit": "mm"}), pa.field("y", pa.float64())]
    )
    file = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": [1.0], "y": [2.0]}, schema=schema), file)
    (table,) = read(file, Options().for_columns({"x"}, set()))
    assert list(table.columns) == ["x"]
    assert table.attributes == {"unit:x": "mm"}


def test_whole_numbers_with_empty_cells_stay_exact_or_are_refused(tmp_path: Path) -> None:
    (table,) = read(write(tmp_path / "t.parquet", x=pa.array([1, None, 3])), Options())
    np.testing.assert_array_equal(table.columns["x"], [1.0, np.nan, 3.0])
    file = write(tmp_path / "t.parquet", x=pa.array([2**53 + 1, None]))
    with pytest.raises(RecordingError, match="beside 9007199254740993"):
        list(read(file, Options()))


def test_wrong_columns_are_one_line(tmp_path: Path) -> None:
    file = write(tmp_path / "t.parquet", speed=[1.0], parts=[[1]])
    with pytest.raises(InputError, match="has no column sped; did you mean speed"):
        list(read(file, Options(columns=["sped"])))
    with pytest.raises(InputError, match=r"column parts: holds list<.*>, neither numbers nor text"):
        list(read(file, Options(columns=["parts"])))
    with pytest.raises(RecordingError, match="holds neither numbers nor text, only parts"):
        list(read(write(tmp_path / "t.parquet", parts=[[1]]), Options()))


def test_damage_is_found_by_its_checksum(tmp_path: Path) -> None:
    numbers = np.random.default_rng(1).normal(size=1000)
    file = tmp_path / "t.parquet"
    plain = {"use_dictionary": False, "compression": "none"}
    pq.write_table(pa.table({"x": numbers}), file, write_page_checksum=True, **plain)
    content = bytearray(file.read_bytes())
    at = content.index(numbers[500].tobytes())
    content[at] ^= 1
    file.write_bytes(content)
    with pytest.raises(RecordingError, match="CRC checksum"):
        list(read(file, Options()))
    for end in (0, 3, 100, len(content) - 1):
        file.write_bytes(content[:end])
        with pytest.raises(RecordingError):
            list(read(file, Options()))


def test_a_run_of_equal_values_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    # 10 million equal numbers take a few kilobytes in the file, 80 MB in memory.
    column = pa.DictionaryArray.from_arrays(np.zeros(10**7, np.int8), pa.array([1.0])).cast(
        pa.float64()
    )
    file = write(tmp_path / "t.parquet", x=column)
    assert file.stat().st_size < 100_000
    with pytest.raises(RecordingError, match="its headers promise 80000000 bytes"):
        list(read(file, Options()))


def test_compressed_as_a_whole(tmp_path: Path) -> None:
    file = write(tmp_path / "t.parquet", x=[1.0])
    (tmp_path / "t.parquet.gz").write_bytes(gzip.compress(file.read_bytes()))
    (table,) = read(tmp_path / "t.parquet.gz", Options())
    assert (table.name, table.columns["x"].tolist()) == ("t", [1.0])
