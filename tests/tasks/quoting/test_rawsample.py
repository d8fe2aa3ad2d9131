from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from lumipipe.config import Source
from lumipipe.readers.files import source_digest
from lumipipe.tasks.quoting.rawsample import (
    RawFile,
    is_all,
    linked,
    raw_files,
    sample_of,
    size_of,
)
from lumipipe.tasks.request import load_request
from small_requests import activity

if TYPE_CHECKING:
    from pathlib import Path


def source(form: str = "npy", **more: object) -> Source:
    channel = {"name": "x", "quantity": "ratio", "unit": "1"}
    time = {"kind": "regular", "rate_hz": 1}
    return Source.model_validate(
        {"id": "s", "source": "*", "format": form, "time": time, "channels": [channel], **more}
    )


def files(folder: Path, count: int, size: int = 100, suffix: str = ".npy") -> list[RawFile]:
    folder.mkdir()
    found = []
    for number in range(count):
        path = folder / f"{number:03d}{suffix}"
        path.write_bytes(b"".join(b"%09d\n" % line for line in range(size // 10)))
        found.append(RawFile(path, path.name, size))
    return found


def names(chosen: list[list[RawFile]]) -> list[list[str]]:
    return [[file.name for file in group] for group in chosen]


def test_all_files_of_a_request_by_source(tmp_path: Path) -> None:
    loaded = load_request(activity(tmp_path))
    (found,) = raw_files(loaded)
    assert [file.name for file in found] == sorted(p.name for p in (tmp_path / "raw").iterdir())
    assert size_of([found]) == sum(p.stat().st_size for p in (tmp_path / "raw").iterdir())


def test_a_sample_is_even_and_takes_the_same_positions_of_each_source(tmp_path: Path) -> None:
    sources = [source(), source()]
    every = [files(tmp_path / "a", 10), files(tmp_path / "b", 10)]
    chosen = sample_of(sources, every, 0.25)
    positions = [[int(file.name[:3]) for file in group] for group in chosen]
    assert positions == [[0, 3, 6], [0, 3, 6]]
    assert not is_all(chosen, every)
    assert is_all(sample_of(sources, every, 1.0), every)


def test_each_source_gives_a_file_however_small_the_share(tmp_path: Path) -> None:
    every = [files(tmp_path / "a", 1000, 10), files(tmp_path / "b", 1)]
    assert names(sample_of([source(), source()], every, 1e-9)) == [["000.npy"], ["000.npy"]]


def test_only_long_files_of_lines_are_cut_and_at_the_end_of_a_line(tmp_path: Path) -> None:
    for form, suffix, whole in (
        ("csv", ".csv", False),
        ("csv", ".csv.gz", True),
        ("npy", ".npy", True),
    ):
        every = [files(tmp_path / f"{form}{suffix}", 1, 1000, suffix)]
        ((file,),) = sample_of([source(form)], every, 0.015)
        assert file.whole == whole, (form, suffix)
        assert is_all([[file]], every) == whole
        (update,) = linked([source(form)], [[file]], tmp_path / "put" / suffix)
        assert str(update["source"]).startswith(str(tmp_path / "put" / suffix))
        content = (tmp_path / "put" / suffix / "0" / file.name).read_bytes()
        original = every[0][0].path.read_bytes()
        assert content == (original if whole else original[:20])


def test_files_of_unlike_length_are_all_whole_where_all_is_asked_for(tmp_path: Path) -> None:
    every = [[*files(tmp_path / "a", 5, 100, ".csv"), *files(tmp_path / "b", 1, 9000, ".csv")]]
    assert is_all(sample_of([source("csv")], every, 1.0), every)
    # Four of six are two thirds: whole files, and no first lines of one.
    assert all(file.whole for file in sample_of([source("csv")], every, 0.6)[0])


def test_declared_digests_are_those_of_what_is_sampled(tmp_path: Path) -> None:
    every = [files(tmp_path / "a", 2)]
    digest = hashlib.sha256(every[0][0].path.read_bytes()).hexdigest()
    (update,) = linked([source(sha256=digest)], every, tmp_path / "put")
    assert update["sha256"] == {"000.npy": digest, "001.npy": digest}
    (update,) = linked([source()], every, tmp_path / "other")
    assert "sha256" not in update


def test_files_of_labels_may_tell_more_than_a_sample_has(tmp_path: Path) -> None:
    every = [files(tmp_path / "a", 2)]
    digests = {"left.csv": "1" * 64, "000.npy": "2" * 64, "001.npy": "3" * 64}
    labels = {
        "left": {"file": "raw/left.csv", "meaning": "m"},
        "kind": {"value": "pump", "meaning": "m"},
    }
    (update,) = linked([source(sha256=digests, labels=labels)], every, tmp_path / "put")
    assert update["labels"] == labels | {"left": labels["left"] | {"spare": "leave_out"}}
    sampled = hashlib.sha256(every[0][0].path.read_bytes()).hexdigest()
    assert update["sha256"] == dict.fromkeys(digests, sampled) | {"left.csv": "1" * 64}


def test_what_a_record_needs_beside_it_is_linked_too(tmp_path):
    found = []
    for name in ("r1", "r2"):
        for suffix in (".hea", ".dat"):
            (tmp_path / f"{name}{suffix}").write_bytes(name.encode())
        head = tmp_path / f"{name}.hea"
        found.append(RawFile(head, head.name, 2))
    asked = source("wfdb", source="*.hea", sha256={"r1.hea": "0" * 64})
    (update,) = linked([asked], [found[:1]], tmp_path / "sample")
    assert update["source"] == f"{tmp_path}/sample/0/**/*.hea"
    assert sorted(path.name for path in (tmp_path / "sample" / "0").iterdir()) == [
        "r1.dat",
        "r1.hea",
    ]
    assert update["sha256"] == {"r1.hea": source_digest(tmp_path / "r1.hea", asked)}
