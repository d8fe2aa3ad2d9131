"""Samples that are made up: costs that are lines of the amount of data."""

from __future__ import annotations

from typing import Any

from lumipipe.tasks.quoting.costs import Costs, PassCost, Sample, StageCost, StreamSize

TOTAL = 64_000_000
FILES = 640


def costs(raw_bytes: int, fixed_s: float = 0.5, seconds_of_all: float = 64.0) -> Costs:
    """A sample of some bytes; each pass takes `fixed_s` and its share of `seconds_of_all`."""
    share = raw_bytes / TOTAL
    seconds = fixed_s + seconds_of_all * share

    def stage(name: str, start_s: float, **more: Any) -> StageCost:
        one = PassCost(
            seconds=seconds,
            chunks=max(1, round(1000 * share)),
            trees=10,
            state_bytes=1e6,
            merge_s=0.01,
        )
        facts = {
            "spent_s": seconds,
            "clock_s": 9.0,
            "computed_s": 9.0,
            "written_bytes": round(raw_bytes / 2),
            "written_files": 50,
        }
        return StageCost(start_s=start_s, passes={name: one}, **facts | more)

    return Costs(
        files=max(1, round(FILES * share)),
        raw_bytes=raw_bytes,
        stages={
            "prepare": stage("files", 4.0),
            "train": stage(
                "windows", 1.5, fit_s=8.0, fit_shared_s=6.0, once_s=0.25, written_bytes=4000
            ),
            "score": stage("windows", 1.5, once_s=0.5, written_bytes=round(raw_bytes / 100)),
        },
        streams={
            "main": StreamSize(
                rows=round(1_000_000 * share), channels=6, itemsize=8, labels=1, has_time=True
            )
        },
        took_s=10.0,
    )


def sample(*raw_bytes: int, **changes: float) -> Sample:
    """A sample in rounds of so many bytes."""
    rounds = [costs(size, **changes) for size in raw_bytes]
    return Sample(files=FILES, raw_bytes=TOTAL, backend="numpy", rounds=rounds)
