"""How much is sampled: decided without a clock here, and once with real verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.machine.performance import stage_seconds
from lumipipe.tasks.quoting import sampling
from lumipipe.tasks.quoting.extrapolation import works_of
from lumipipe.tasks.quoting.rawsample import size_of
from lumipipe.tasks.quoting.sampling import Bounds, take_sample
from lumipipe.tasks.request import load_request
from small_requests import activity, fleet, monitoring, write_sines
from tasks.quoting.made import costs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lumipipe.tasks.quoting.costs import Costs
    from lumipipe.tasks.request import Loaded

PERSONS, SETS = 8, 10


def many(folder: Path, **changes: Any) -> Loaded:
    """The tiny request with more recordings, all of one length."""
    request = activity(folder, **changes)
    for old in (folder / "raw").iterdir():
        old.unlink()
    for person in range(PERSONS):
        for number in range(SETS):
            for exercise, hertz in (("swing", 1.0), ("shake", 4.0)):
                name = f"p{person}_{exercise}_{number}.csv"
                write_sines(folder / "raw" / name, hertz, 40, (person, number, len(exercise)))
    return load_request(request)


def quiet(line: str) -> None:
    """Ignore a line of progress."""


class Rounds:
    """Stands in for the real verbs: notes what is sampled, refuses below `least` bytes."""

    def __init__(self, least: int = 0, error: type[InputError] = InputError) -> None:
        self.least, self.error = least, error
        self.sizes: list[int] = []

    def __call__(self, loaded: Loaded, chosen: Sequence[Any], backend: str) -> Costs:
        del loaded, backend
        self.sizes.append(size_of(chosen))
        if self.sizes[-1] < self.least:
            raise self.error("evaluation.split", "there are 2 groups", "give at least 3")
        return costs(self.sizes[-1])


def test_few_data_are_sampled_whole_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds, loaded = Rounds(), many(tmp_path)
    monkeypatch.setattr(sampling, "_round", rounds)
    total = sum(path.stat().st_size for path in (tmp_path / "raw").iterdir())
    found = take_sample(loaded, "numpy", Bounds(first_bytes=total), quiet)
    assert rounds.sizes == [total] == [found.raw_bytes]
    assert found.is_all
    assert found.files == PERSONS * SETS * 2


def test_a_second_sample_is_as_large_as_time_and_bytes_allow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = many(tmp_path)
    total = sum(path.stat().st_size for path in (tmp_path / "raw").iterdir())
    for bounds, least, most in (
        (Bounds(total // 16, total // 4, 1e6), 1 / 5, 1 / 3),  # bytes stop it
        (Bounds(total // 16, 10 * total, 1e6), 1.0, 1.0),
        (Bounds(total // 16, 10 * total, 0.0), 0.0, 1 / 12),  # seconds stop it: one sample
    ):
        rounds = Rounds()
        monkeypatch.setattr(sampling, "_round", rounds)
        take_sample(loaded, "numpy", bounds, quiet)
        assert len(rounds.sizes) == (1 if most < 0.1 else 2)
        assert least * total <= rounds.sizes[-1] <= most * total, bounds


def test_a_sample_grows_until_the_family_accepts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = many(tmp_path)
    total = sum(path.stat().st_size for path in (tmp_path / "raw").iterdir())
    rounds = Rounds(least=total // 8)
    monkeypatch.setattr(sampling, "_round", rounds)
    found = take_sample(loaded, "numpy", Bounds(total // 64, total, 0.0), quiet)
    assert [size < total // 8 for size in rounds.sizes] == [True, True, False]
    assert found.rounds[-1].raw_bytes == rounds.sizes[-1]


@pytest.mark.parametrize(("error", "tries"), [(InputError, 4), (RecordingError, 1)])
def test_what_is_wrong_with_the_request_or_a_recording_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[InputError], tries: int
) -> None:
    loaded = many(tmp_path)
    total = sum(path.stat().st_size for path in (tmp_path / "raw").iterdir())
    rounds = Rounds(least=10 * total, error=error)
    monkeypatch.setattr(sampling, "_round", rounds)
    with pytest.raises(error, match="there are 2 groups"):
        take_sample(loaded, "numpy", Bounds(total // 60, total, 60.0), quiet)
    assert len(rounds.sizes) == tries


def test_a_recording_that_was_cut_may_be_bad_for_that_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_request(monitoring(tmp_path))  # one file
    total = (tmp_path / "raw/plant.csv").stat().st_size
    rounds = Rounds(least=total, error=RecordingError)
    monkeypatch.setattr(sampling, "_round", rounds)
    take_sample(loaded, "numpy", Bounds(total // 10, total, 60.0), quiet)
    assert rounds.sizes[0] < total == rounds.sizes[-1]


@pytest.mark.slow
def test_the_first_units_of_a_fleet_tell_its_cost(tmp_path: Path) -> None:
    """All units in one table, their labels in the order of units in another file."""
    request = fleet(tmp_path, units=24)
    loaded = load_request(request)
    total = (tmp_path / "raw/fleet.csv").stat().st_size
    log: list[str] = []
    part = take_sample(loaded, "numpy", Bounds(total // 3, total // 2, 0.0), log.append)
    assert not part.is_all
    assert [line for line in log if line.startswith("too little")] == []


@pytest.mark.slow
def test_a_quarter_of_the_data_tells_the_rest(tmp_path: Path) -> None:
    sizes = {"chunk_bytes": 2**16, "shard_bytes": 2**20}
    loaded = many(tmp_path, prepare=sizes, train={"windows_per_chunk": 64})
    total = sum(path.stat().st_size for path in (tmp_path / "raw").iterdir())
    part = take_sample(loaded, "numpy", Bounds(total // 16, total // 4, 1e3), quiet)
    whole = take_sample(loaded, "numpy", Bounds(first_bytes=total), quiet)
    assert not part.is_all
    assert whole.is_all
    told, true = works_of(part), works_of(whole)
    for quoted, measured in zip(told, true, strict=True):
        # All files are of one length, so shares of bytes are shares of windows, but for edges.
        for ours, theirs in zip(quoted.passes, measured.passes, strict=True):
            assert ours.trees == theirs.trees or quoted.verb == "prepare"
            if quoted.verb != "prepare":
                assert ours.parts == pytest.approx(theirs.parts, rel=0.15)
        assert quoted.write_bytes == pytest.approx(measured.write_bytes, rel=0.5)
    # Seconds of a shared machine: the ratio is of one place and a few minutes.
    ours_s, theirs_s = (sum(stage_seconds(w, 1, {}).total for w in works) for works in (told, true))
    assert 0.4 < ours_s / theirs_s < 2.5


@pytest.mark.slow
def test_a_family_that_fits_on_one_rank_shares_nothing_of_it(tmp_path: Path) -> None:
    alone = take_sample(load_request(monitoring(tmp_path / "a")), "numpy", Bounds(), quiet)
    shared = take_sample(load_request(activity(tmp_path / "b")), "numpy", Bounds(), quiet)
    single, several = (found.rounds[0].stages["train"] for found in (alone, shared))
    assert single.fit_shared_s < 0.3 * single.fit_s
    assert several.fit_shared_s > 0.5 * several.fit_s
    assert several.start_s > 0.1
    assert several.peak_bytes > 2**24
    assert shared.rounds[0].stages["score"].passes["windows"].trees == 4
    rows = 20 * sum(2 * (8 + 2 * person + number) for person in range(4) for number in (0, 1))
    assert shared.rounds[0].streams["main"].rows == rows
