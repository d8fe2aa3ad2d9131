"""Sizes of Parquet pages from their headers, against what pyarrow's metadata say."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lumipipe.readers.pages import page_sizes

if TYPE_CHECKING:
    from pathlib import Path

_MOST_HEADER = 200  # bytes of a header without long statistics


def check(stream: Any) -> int:
    """All pages of a file: with their headers they are what its end says; their number."""
    metadata, count = pq.ParquetFile(stream).metadata, 0
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            first = chunk.dictionary_page_offset or chunk.data_page_offset
            sizes = list(page_sizes(stream, first, chunk.total_compressed_size))
            assert sum(sizes) < chunk.total_uncompressed_size
            assert chunk.total_uncompressed_size <= sum(sizes) + _MOST_HEADER * len(sizes)
            count += len(sizes)
    return count


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip"])
def test_pages_of_files_that_pyarrow_writes(version: str, compression: str) -> None:
    draw = np.random.default_rng(1)
    columns = {
        "x": draw.normal(size=5000),
        "n": np.arange(5000),
        "name": pa.array(["a", None] * 2500),
        "on": pa.array([True, False] * 2500),
    }
    stream = io.BytesIO()
    pq.write_table(
        pa.table(columns),
        stream,
        compression=compression,
        data_page_version=version,
        data_page_size=4096,
        row_group_size=2000,
        write_page_checksum=True,
    )
    assert check(stream) > 4 * 3


def test_a_header_that_is_none() -> None:
    for raw in (b"", b"\x15", b"\xff" * 40, b"\x15\x00\x00", b"\x1b\x01", b"\x1c" * 60):
        with pytest.raises(ValueError, match="a page"):
            list(page_sizes(io.BytesIO(raw), 0, max(len(raw), 1)))


@pytest.mark.real
def test_pages_of_real_files(real_data: Path) -> None:
    for file in sorted((real_data / "parquet").glob("*.parquet")):
        with file.open("rb") as stream:
            assert check(stream)


def test_a_list_without_end() -> None:
    for kind in (3, 9, 13):  # bytes, lists, and no kind at all; 2**62 of them
        raw = bytes([0x19, 0xF0 | kind]) + b"\xff" * 8 + b"\x3f" + bytes(50)
        with pytest.raises(ValueError, match="a page"):
            list(page_sizes(io.BytesIO(raw), 0, len(raw)))
