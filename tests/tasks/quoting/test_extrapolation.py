"""From samples to all data: exact for costs that are lines, and near for a real request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.machine.performance import stage_seconds
from lumipipe.tasks.quoting.extrapolation import kept_bytes, kept_files, line, store_bytes, works_of
from lumipipe.tasks.quoting.sampling import Bounds, take_sample
from lumipipe.tasks.request import load_request
from running import answer
from small_requests import monitoring
from tasks.quoting.made import TOTAL, sample

if TYPE_CHECKING:
    from pathlib import Path

COSTS = st.floats(0.0, 1e6)


@given(COSTS, COSTS, st.integers(1, 1000), st.integers(1, 1000), st.floats(0.0, 1e6))
def test_two_samples_of_a_line_give_the_line(
    fixed: float, slope: float, first: int, more: int, at: float
) -> None:
    amounts = float(first), float(first + more)
    values = [(amount, fixed + slope * amount) for amount in amounts]
    if slope * more > 1e-6 * fixed:  # else the slope drowns in the rounding of the two costs
        # The slope has the rounding of both costs over their distance.
        noise = 4e-16 * (fixed + slope * amounts[1]) / more * max(at, amounts[1])
        expected = fixed + slope * at
        assert line(values, at, grows=True) == pytest.approx(expected, rel=1e-9, abs=2 * noise)


@given(less=COSTS, more=COSTS, times=st.floats(1.0, 1e3), grows=st.booleans())
def test_a_line_never_falls_and_is_never_steeper_than_from_nothing(
    *, less: float, more: float, times: float, grows: bool
) -> None:
    values = [(1.0, less), (4.0, more)]
    found = line(values, 4.0 * times, grows=grows)
    assert more <= found * (1 + 1e-12)
    assert found <= more * times * (1 + 1e-12)


def test_one_sample_grows_only_where_it_is_said_to() -> None:
    assert line([(4.0, 2.0)], 8.0, grows=True) == 4.0
    assert line([(4.0, 2.0)], 8.0, grows=False) == 2.0


def test_what_rises_by_no_more_than_the_noise_does_not_grow() -> None:
    small = [(1.0, 0.05), (4.0, 0.2)]
    assert line(small, 100.0, grows=False, noise=0.2) == 0.2
    assert line(small, 100.0, grows=False, noise=0.1) == pytest.approx(5.0)


def test_the_start_never_grows() -> None:
    busy = sample(TOTAL // 32, TOTAL // 4)
    last = busy.rounds[1]
    slow = {verb: cost.model_copy(update={"start_s": 60.0}) for verb, cost in last.stages.items()}
    rounds = [busy.rounds[0], last.model_copy(update={"stages": slow})]
    found = works_of(busy.model_copy(update={"rounds": rounds}))
    assert [work.start_s for work in found] == [4.0, 1.5, 1.5]


@pytest.mark.parametrize("rounds", [(TOTAL,), (TOTAL // 32, TOTAL // 4)])
def test_works_of_all_data(rounds: tuple[int, ...]) -> None:
    found = {work.verb: work for work in works_of(sample(*rounds))}
    assert list(found) == ["prepare", "train", "score"]
    prepare, train, score = found.values()
    all_s = stage_seconds(train, 1, {}).total
    assert all_s == pytest.approx(1.5 + 0.5 + 64.0 + 8.0 + 0.25)
    assert stage_seconds(prepare, 1, {}).total == pytest.approx(4.0 + 0.5 + 64.0)
    assert stage_seconds(score, 1, {}).total == pytest.approx(1.5 + 0.5 + 64.0 + 0.5)
    assert train.passes[0].parts == 1000
    assert train.passes[0].trees == 10
    assert (prepare.overlaps, train.overlaps) == (False, True)
    assert prepare.passes[0].read_bytes == TOTAL
    assert train.passes[0].read_bytes == pytest.approx(TOTAL / 2)
    # Many ranks share all but what is fixed: where two samples tell the two apart.
    fixed = 0.0 if len(rounds) == 1 else 0.5
    many = stage_seconds(train, 1000, {})
    assert many.compute == pytest.approx((64.5 - fixed) / 1000 + 6.0 / 1000)
    assert many.once == pytest.approx(fixed + 0.25 + 2.0)


def test_files_are_shared_in_batches() -> None:
    by_files = works_of(sample(TOTAL, fixed_s=0.0, seconds_of_all=640.0))[0]
    assert by_files.passes[0].parts == 64
    assert works_of(sample(TOTAL), ranks=1000)[0].passes[0].parts == 64.5 // 0.25
    assert works_of(sample(TOTAL, seconds_of_all=0.1))[0].passes[0].parts == 2


def test_a_multiple_of_the_data() -> None:
    single, tenfold = (works_of(sample(TOTAL // 32, TOTAL // 4), times)[1] for times in (1, 10))
    assert tenfold.passes[0].work_s == pytest.approx(10 * single.passes[0].work_s)
    assert tenfold.passes[0].parts == 10 * single.passes[0].parts
    assert tenfold.passes[0].trees == 10 * single.passes[0].trees
    assert tenfold.fit_s == single.fit_s


def test_what_stays_on_the_disk() -> None:
    few = sample(TOTAL // 32, TOTAL // 4)
    assert store_bytes(few) == pytest.approx(TOTAL / 2)
    assert kept_bytes(few) == pytest.approx(1.5 * TOTAL + TOTAL / 100 + 4000)


@pytest.mark.slow
def test_the_files_of_a_run_are_those_that_were_planned(tmp_path: Path) -> None:
    request = monitoring(tmp_path)
    loaded = load_request(request)
    quoted = take_sample(loaded, "numpy", Bounds(), lambda _: None)
    assert quoted.is_all
    answer(request, tmp_path / "out")
    found = len([*(tmp_path / "out").rglob("*"), *(tmp_path / "raw").iterdir()])
    planned = kept_files(quoted, loaded.request.prepare)
    assert found <= planned <= found + 64  # what a workflow leaves besides
