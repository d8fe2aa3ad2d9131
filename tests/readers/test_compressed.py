"""Content up to a limit, however much a small file would unpack to."""

from __future__ import annotations

import gzip
import lzma
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.compressed import first_bytes, read_limited, unpacks_beyond

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".txt"])
def test_content_up_to_the_limit(tmp_path: Path, suffix: str) -> None:
    file, content = tmp_path / f"a{suffix}", bytes(range(256)) * 40
    file.write_bytes(PACK.get(suffix, bytes)(content))
    assert read_limited(file, len(content)) == content
    with pytest.raises(RecordingError, match=f"holds more than {len(content) - 1} bytes"):
        read_limited(file, len(content) - 1)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_parts_one_after_another_and_a_cut_end(tmp_path: Path, suffix: str) -> None:
    file, pack = tmp_path / f"a{suffix}", PACK[suffix]
    file.write_bytes(pack(b"one") + pack(b"two"))
    assert read_limited(file, 100) == b"onetwo"
    file.write_bytes((pack(b"one" * 100))[:-9])
    with pytest.raises(RecordingError, match="truncated or damaged"):
        read_limited(file, 1000)
    file.write_bytes(b"no archive")
    with pytest.raises(RecordingError, match="truncated or damaged"):
        read_limited(file, 1000)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_bomb_costs_no_memory(tmp_path: Path, suffix: str) -> None:
    file, most = tmp_path / f"a{suffix}", 2**22
    file.write_bytes(PACK[suffix](bytes(2**26)))
    tracemalloc.start()
    with pytest.raises(RecordingError, match="holds more than"):
        read_limited(file, most)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * most


def test_what_is_not_there(tmp_path: Path) -> None:
    for name in ("a.txt", "a.gz"):
        with pytest.raises(InputError, match="cannot be read"):
            read_limited(tmp_path / name, 10)


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz"])
@pytest.mark.parametrize("most", [0, 1, 70_000, 100_017, 100_018, 10**6])
def test_first_bytes(tmp_path: Path, suffix: str, most: int) -> None:
    pack = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}[suffix]
    first, second = bytes(range(256)) * 390 + b"x" * 160, b"the second member"
    file = tmp_path / f"a.csv{suffix}"
    file.write_bytes(pack(first) + pack(second))
    content = first + second
    assert first_bytes(file, most) == (content[:most], len(content) > most)
    assert not suffix or unpacks_beyond(file, most) == (len(content) > most)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_first_bytes_of_what_is_no_compressed_file(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"a.csv{suffix}"
    file.write_bytes(b"plain text")
    with pytest.raises(RecordingError, match="truncated or damaged"):
        first_bytes(file, 10)
    with pytest.raises(InputError, match="cannot be read"):
        first_bytes(tmp_path / "absent", 10)
