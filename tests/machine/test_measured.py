"""Constants: what was measured wins, the nearest place first; what was not says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lumipipe.errors import InputError
from lumipipe.machine.constants import Here, constants_here, constants_there
from lumipipe.machine.measured import ASSUMED, FILE, RATES, constant_of, load_measured

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.machine.facts import Machine
    from lumipipe.machine.measured import Entry


def entry(constant: str, value: float, **more: Any) -> dict[str, Any]:
    """One entry of the file."""
    return {"constant": constant, "value": value, "date": "2026-11-25", "how": "made up", **more}


def measured(folder: Path, *entries: dict[str, Any], machine: str = "lumi") -> tuple[Entry, ...]:
    """Entries after a way through the file."""
    text = yaml.safe_dump({"machine": machine, "measured": list(entries)})
    (folder / FILE).write_text(text, encoding="utf-8")
    return load_measured(folder, "lumi")


def here(**changes: Any) -> Here:
    """A sample of 3 s of starting prepare and 1 s of starting train."""
    start_s = {"prepare": 3.0, "train": 1.0, "score": 1.0}
    return Here(**{"start_s": start_s, "flops_s": 2e10, "is_all": True} | changes)


def test_nothing_was_measured(tmp_path: Path) -> None:
    assert load_measured(tmp_path, "lumi") == ()
    assumed = constant_of((), "job_s", ["small"])
    assert assumed == ASSUMED["job_s"]
    assert not assumed.is_measured
    assert constant_of((), "flops_s", ["small"]) is None


def test_the_nearest_measurement_is_taken(tmp_path: Path) -> None:
    entries = measured(
        tmp_path,
        entry("start_mpi_s", 9.0, partition="standard-g", ranks=16),
        entry("start_mpi_s", 5.0, partition="small", ranks=2),
        entry("start_mpi_s", 6.0, partition="small", ranks=64),
        entry("start_mpi_s", 7.0, partition="small", ranks=64),  # measured again later
    )

    def value(partitions: list[str], ranks: int) -> float:
        constant = constant_of(entries, "start_mpi_s", partitions, ranks)
        assert constant is not None
        assert constant.is_measured
        return constant.value

    assert value(["small", "standard"], 3) == 5.0
    assert value(["small", "standard"], 40) == 7.0
    assert value(["standard", "small"], 64) == 7.0
    assert value(["standard-g"], 2) == 9.0
    assert value(["dev-g"], 16) == 9.0  # nowhere near, but measured


def test_the_range_is_that_of_the_repeats_or_a_third(tmp_path: Path) -> None:
    entries = measured(
        tmp_path,
        entry("latency_s", 2.0, low=1.0, high=4.0),
        entry("job_s", 10.0, partition="small"),
    )
    latency, job = (constant_of(entries, name, ["small"]) for name in ("latency_s", "job_s"))
    assert latency is not None
    assert job is not None
    assert (latency.low, latency.high) == (1.0, 4.0)
    assert (job.low, job.high) == (7.0, 13.0)
    assert "2026-11-25 on small" in job.source


@pytest.mark.parametrize("name", sorted(ASSUMED))
def test_the_best_of_a_constant_is_the_fast_end(name: str) -> None:
    constant = ASSUMED[name]
    assert constant.low <= constant.value <= constant.high
    assert constant.at(0) == constant.value
    best, worst = constant.at(1), constant.at(-1)
    assert (best > worst) == (name in RATES)
    assert {best, worst} == {constant.low, constant.high}


@pytest.mark.parametrize(
    ("entries", "machine", "message"),
    [
        ([entry("reed_bytes_s", 1.0)], "lumi", "measured.0.constant"),
        ([entry("job_s", 0.0)], "lumi", "measured.0.value"),
        ([entry("job_s", 1.0, speed=3)], "lumi", "unknown key measured.0.speed"),
        ([entry("job_s", 1.0)], "roihu", "these are constants of roihu, not of lumi"),
    ],
)
def test_a_wrong_file_is_refused(
    tmp_path: Path, entries: list[dict[str, Any]], machine: str, message: str
) -> None:
    with pytest.raises(InputError) as refused:
        measured(tmp_path, *entries, machine=machine)
    assert message in str(refused.value)
    assert f"{FILE}:" in refused.value.place


def test_a_machine_that_was_not_measured_is_assumed_in_a_wide_range(lumi: Machine) -> None:
    found = constants_there(lumi, (), here(), verb="train", partition="small", ranks=1)
    assert not any(constant.is_measured for constant in found.values())
    assert (found["speed"].value, found["speed"].low, found["speed"].high) == (1.0, 0.5, 2.0)
    assert found["start_s"].value == 1.0  # as sampled
    assert found["start_s"].high > 5.0
    assert "start_mpi_s" not in found
    ranks = constants_there(lumi, (), here(), verb="train", partition="small", ranks=2)
    assert ranks["start_mpi_s"].value > 1.0


def test_seconds_are_carried_over_by_what_was_measured(tmp_path: Path, lumi: Machine) -> None:
    entries = measured(
        tmp_path,
        entry("flops_s", 1e10, partition="standard"),
        entry("start_s", 6.0, low=5.0, high=9.0, partition="small"),
    )
    found = constants_there(lumi, entries, here(), verb="train", partition="small", ranks=1)
    # Cores here are twice as fast; prepare takes twice as long to start there, and so does train.
    assert found["speed"].value == 2.0
    assert found["speed"].low < 2.0 < found["speed"].high
    assert (found["start_s"].value, found["start_s"].high) == (2.0, 3.0)
    assert found["speed"].is_measured
    assert found["start_s"].is_measured


def test_a_part_of_the_data_and_a_busy_machine_widen_the_range() -> None:
    narrow = constants_here(here())["speed"]
    part = constants_here(here(is_all=False))["speed"]
    busy = constants_here(here(idle=0.5))["speed"]
    assert part.low < narrow.low < narrow.value < narrow.high < part.high
    assert (busy.low, busy.high) == (narrow.low, 2 * narrow.high)
