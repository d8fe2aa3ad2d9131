"""What Slurm allocated: measured, or said not to be; never zero for what was not measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lumipipe.scheduler.accounting import (
    ACCOUNTING,
    Allocation,
    billed_allocations,
    tres,
    write_accounting,
)
from lumipipe.scheduler.record import add_line
from scheduler.test_inventory import submitted

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.pretended_slurm import PretendedSlurm

NODES = "billing=256,cpu=256,gres/gpu=16,mem=960G,node=2"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "cpu=128,mem=224G,node=1,billing=128,gres/gpu=8",
            {"cpu": 128, "mem": 229376, "node": 1, "gpu": 8},
        ),
        ("cpu=1,mem=500M,node=1", {"cpu": 1, "mem": 500, "node": 1}),
        ("mem=1.50T", {"mem": 1572864}),
        ("mem=2048K,cpu=2", {"cpu": 2, "mem": 2}),
        ("mem=60000", {"mem": 60000}),
        ("gres/gpu:mi250=4,gres/gpu:a40=1", {"gpu": 5}),
        ("gres/gpu:mi250=4,gres/gpu=4", {"gpu": 4}),
        ("", {}),
        ("energy=,cpu=x,mem=?,nonsense", {}),
    ],
)
def test_lists_of_resources(text: str, found: dict[str, int]) -> None:
    assert tres(text) == found


def test_the_database_tells_what_each_job_had(slurm: PretendedSlurm) -> None:
    slurm.change(threads=2)
    slurm.job("12", "CANCELLED by 1000", accounted=True, tres=NODES, partition="standard-g")
    found = billed_allocations(["12", "13"])
    assert found["13"] is None
    assert found["12"] == Allocation(
        seconds=7,
        nodes=2,
        cpus=256,
        memory_mib=983040,
        gpus=16,
        partition="standard-g",
        state="CANCELLED",
        restarts=0,
        source="sacct",
        threads_per_core=2,
    )
    assert found["12"].cores == 128


def test_all_runs_of_a_job_that_was_put_back_are_billed(slurm: PretendedSlurm) -> None:
    runs = [["REQUEUED", 100], ["NODE_FAIL", 20], ["COMPLETED", 7]]
    slurm.job("12", "COMPLETED", accounted=True, tres=NODES, runs=runs)
    one = billed_allocations(["12"])["12"]
    assert one is not None
    assert (one.seconds, one.restarts) == (127, 2)


@pytest.mark.parametrize(
    ("told", "joules"), [("900", 1800), ("0", None), ("", None), ("18446744073709551614", None)]
)
def test_energy_is_measured_or_it_is_none_and_never_zero(
    slurm: PretendedSlurm, told: str, joules: int | None
) -> None:
    runs = [["REQUEUED", 100], ["COMPLETED", 7]]
    slurm.job("12", "COMPLETED", accounted=True, tres=NODES, runs=runs, joules=told)
    one = billed_allocations(["12"])["12"]
    assert one is not None
    assert one.joules == joules


def test_the_controller_tells_while_it_remembers(slurm: PretendedSlurm) -> None:
    slurm.silence("sacct")
    slurm.job("12", "FAILED", tres="cpu=7,mem=60G,node=1", gres="gpu:mi250:1", time="01:00:00")
    one = billed_allocations(["12"])["12"]
    assert one is not None
    assert (one.seconds, one.cpus, one.memory_mib, one.gpus) == (3600, 7, 61440, 1)
    assert (one.state, one.source, one.cores) == ("FAILED", "scontrol", 7)


def test_the_last_run_alone_is_no_measure_of_a_job_that_was_put_back(
    slurm: PretendedSlurm,
) -> None:
    slurm.silence("sacct")
    slurm.job("12", "COMPLETED", tres="cpu=7,mem=60G,node=1", restarts=1)
    assert billed_allocations(["12"]) == {"12": None}


def test_a_job_that_never_ran_cost_nothing_and_that_is_measured(slurm: PretendedSlurm) -> None:
    slurm.job("12", "CANCELLED", accounted=True, runs=[["CANCELLED", 0]])
    one = billed_allocations(["12"])["12"]
    assert one is not None
    assert (one.seconds, one.nodes, one.cpus) == (0, 0, 0)


@pytest.mark.parametrize("text", ["", "mem=60G", "cpu=7"])
def test_a_job_that_ran_without_known_resources_is_not_measured(
    slurm: PretendedSlurm, text: str
) -> None:
    slurm.job("12", "COMPLETED", accounted=True, queue=False, tres=text)
    slurm.job("13", "COMPLETED", tres=text)
    assert billed_allocations(["12", "13"]) == {"12": None, "13": None}


def test_threads_of_a_core_that_differ_or_are_not_told_leave_cores_open(
    slurm: PretendedSlurm,
) -> None:
    slurm.job("12", "COMPLETED", accounted=True, tres=NODES)
    for threads, silent in (("1\n2", 0), ("2", 10**9)):
        slurm.change(threads=threads)
        slurm.silence("sinfo", calls=silent)
        one = billed_allocations(["12"])["12"]
        assert one is not None
        assert one.cores is None


def test_without_slurm_nothing_is_measured(
    out: Path, monkeypatch: pytest.MonkeyPatch, slurm: PretendedSlurm
) -> None:
    assert write_accounting(out)["jobs"] == {}
    assert not (out / ACCOUNTING).exists()
    submitted(out, "12")
    monkeypatch.setenv("PATH", "/nowhere")
    assert write_accounting(out)["jobs"] == {"train": [{"id": "12", "allocation": None}]}


def test_the_file_says_what_each_stage_and_the_head_process_had(
    out: Path, slurm: PretendedSlurm
) -> None:
    add_line(out, {"event": "head", "job": "11"})
    for id_, verb in (("12", "prepare"), ("13", "train"), ("14", "train")):
        slurm.job(id_, "COMPLETED", name=submitted(out, id_, verb), accounted=True, tres=NODES)
    slurm.job("11", "RUNNING", accounted=True, tres="cpu=2,mem=2G,node=1")
    said = write_accounting(out)
    assert json.loads((out / ACCOUNTING).read_text()) == said
    assert {verb: [job["id"] for job in jobs] for verb, jobs in said["jobs"].items()} == {
        "prepare": ["12"],
        "train": ["13", "14"],
        "head": ["11"],
    }
    assert said["jobs"]["head"][0]["allocation"]["memory_mib"] == 2048
    assert said["jobs"]["prepare"][0]["allocation"]["cores"] == 256


def test_what_was_measured_once_is_kept_when_slurm_has_forgotten(
    out: Path, slurm: PretendedSlurm
) -> None:
    slurm.job("12", "COMPLETED", name=submitted(out, "12"), tres=NODES)
    first = write_accounting(out)["jobs"]
    assert first["train"][0]["allocation"]["source"] == "scontrol"
    slurm.job("12", "COMPLETED", queue=False)
    assert write_accounting(out)["jobs"] == first
    (out / ACCOUNTING).write_text("{")
    assert write_accounting(out)["jobs"]["train"][0]["allocation"] is None
