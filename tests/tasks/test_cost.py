"""Quote and bill side by side: from what lies in the folder of a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm
from lumipipe.tasks.cost import cost_of_run
from lumipipe.tasks.quoting.price import Quote, StageQuote, Storage
from lumipipe.tasks.report import report
from lumipipe.tasks.request import load_request
from machines import MACHINES
from running import answer
from small_requests import monitoring

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.reporting.cost import StageCost


def quoted(verb: str, seconds: float, where: str, **units: float) -> StageQuote:
    return StageQuote(
        verb=verb,
        where=where,
        ranks=2,
        useful_ranks=2,
        seconds=seconds,
        low_s=seconds,
        high_s=seconds,
        parts={},
        peak_bytes=1,
        **units,
    )


def written_quote(out: Path, **changes: Any) -> Quote:
    """A quote in a folder: two stages on LUMI-C, one on LUMI-G."""
    quote = Quote(
        machine="LUMI",
        target="lumi-small-g",
        sampled_files=1,
        sampled_bytes=10,
        raw_files=1,
        raw_bytes=10,
        backend="numpy",
        stages=[
            quoted("prepare", 1800.0, "small", core_h=1.0),
            quoted("train", 3600.0, "small-g", gpu_h=0.5),
            quoted("score", 900.0, "small-g", gpu_h=0.125),
        ],
        storage=Storage(bytes=10.0, files=3, kept_days=30.0, tb_h=0.25, most_tb_h=0.25),
        partitions={name: MACHINES["lumi"].partitions[name] for name in ("small", "small-g")},
        ceiling={"gpu_h": 2.0},
    ).model_copy(update=changes)
    (out / "quote.json").write_text(json.dumps({"quote": quote.model_dump(mode="json")}))
    return quote


def job(seconds: int, partition: str, **more: Any) -> dict[str, Any]:
    """An allocation as the accounting has it."""
    had = {"nodes": 1, "cpus": 4, "cores": 2, "threads_per_core": 2, "memory_mib": 1024, "gpus": 0}
    return {"id": "1", "allocation": had | {"seconds": seconds, "partition": partition} | more}


def accounted(out: Path, **jobs: list[dict[str, Any]]) -> None:
    (out / "accounting.json").write_text(json.dumps({"lumipipe_accounting": 1, "jobs": jobs}))


def stages(out: Path) -> dict[str, StageCost]:
    cost = cost_of_run(out)
    assert cost is not None
    return {stage.name: stage for stage in [*cost.stages, cost.total()]}


def test_what_was_allocated_is_billed_by_the_formula_of_the_partition(tmp_path: Path) -> None:
    written_quote(tmp_path)
    devices = {"gpus": 2, "cores": 14, "cpus": 28}
    accounted(
        tmp_path,
        prepare=[job(2700, "small")],
        train=[job(3600, "small-g", **devices)],
        score=[job(450, "small-g", **devices), job(450, "small-g", **devices)],
    )
    found = stages(tmp_path)
    # Two cores, not their four hardware threads.
    assert found["prepare"].billed == {"core-h": pytest.approx(2 * 0.75)}
    assert found["prepare"].ratio == 1.5
    assert found["train"].billed == {"GPU-h": pytest.approx(1.0)}
    assert (found["score"].billed_seconds, found["score"].jobs) == (900, 2)
    total = found["all"]
    assert (total.quoted_seconds, total.billed_seconds) == (6300.0, 7200.0)
    assert total.billed == {"core-h": pytest.approx(1.5), "GPU-h": pytest.approx(1.25)}
    assert total.quoted == {"core-h": 1.0, "GPU-h": 0.625}
    cost = cost_of_run(tmp_path)
    assert cost is not None
    assert (cost.ceiling, cost.storage) == ({"GPU-h": 2.0}, {"TB-h": 0.25})
    assert cost.notes == ["More than one job was needed (score 2); all were billed."]


@pytest.mark.parametrize("asked", [False, True])
def test_what_was_not_measured_is_never_zero(tmp_path: Path, *, asked: bool) -> None:
    written_quote(tmp_path)
    if asked:
        lost = {"id": "2", "allocation": None}
        # One of two jobs is unknown, so what the stage cost is unknown.
        accounted(tmp_path, prepare=[job(60, "small")], train=[job(60, "small-g"), lost])
    found = stages(tmp_path)
    for name in ("train", "score", "all"):
        assert (found[name].billed_seconds, found[name].billed, found[name].ratio) == (None,) * 3
    assert (found["prepare"].billed is not None) == asked


def test_the_threads_of_a_core_that_nobody_knows_are_cores(tmp_path: Path) -> None:
    written_quote(tmp_path)
    accounted(tmp_path, prepare=[job(3600, "small", cores=None)])
    assert stages(tmp_path)["prepare"].billed == {"core-h": 4.0}


def test_another_partition_has_seconds_but_no_price(tmp_path: Path) -> None:
    written_quote(tmp_path)
    accounted(tmp_path, prepare=[job(3600, "moon")])
    found = stages(tmp_path)["prepare"]
    assert (found.billed_seconds, found.billed) == (3600, None)


def test_the_job_of_the_head_process_is_told_but_not_summed(tmp_path: Path) -> None:
    written_quote(tmp_path)
    accounted(tmp_path, head=[job(9999, "small")])
    cost = cost_of_run(tmp_path)
    assert cost is not None
    assert [stage.name for stage in cost.stages] == ["prepare", "train", "score"]
    assert "led the run" in cost.notes[-1]


def test_a_run_without_a_scheduler_has_no_cost(tmp_path: Path) -> None:
    assert cost_of_run(tmp_path) is None
    written_quote(tmp_path, machine=None)
    assert cost_of_run(tmp_path) is None
    (tmp_path / "quote.json").write_text("{")
    assert cost_of_run(tmp_path) is None


def test_the_report_shows_quote_and_bill_and_nothing_else_changes(tmp_path: Path) -> None:
    request, out = monitoring(tmp_path), tmp_path / "out"
    done, loaded = answer(request, out), load_request(request)

    def reported() -> tuple[dict[str, Any], str]:
        report(loaded, done.stages, SerialComm(), choose_backend("numpy"), lambda _: None)
        content = json.loads((out / "result.json").read_text(encoding="utf-8"))
        return content, (out / "report.html").read_text(encoding="utf-8")

    before, page = reported()
    assert before["run"]["cost"] is None
    assert "What it cost" not in page
    written_quote(out)
    accounted(out, prepare=[job(2700, "small")])
    after, page = reported()
    assert after["run"]["cost"]["stages"][0]["billed"] == {"core-h": pytest.approx(1.5)}
    assert "What it cost" in page
    assert "not measured" in page
    assert before | {"run": None} == after | {"run": None}
