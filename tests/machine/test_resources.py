"""What a job asks for, and how Snakemake's plugin is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.errors import InputError
from lumipipe.machine.resources import Block, needs_device, snakemake_resources
from machines import MACHINES, PARTITIONS, account_of, derived

if TYPE_CHECKING:
    from lumipipe.machine.facts import Machine

MASKS = "mask_cpu:fe000000000000,fe00000000000000,fe0000,fe000000,fe,fe00,fe00000000,fe0000000000"


def test_whole_gpu_nodes(lumi: Machine) -> None:
    block = derived(lumi, "lumi-standard-g", 16, minutes=90)
    assert snakemake_resources(block) == {
        "slurm_account": account_of(lumi),
        "slurm_partition": "standard-g",
        "runtime": 90,
        "mem_mb": 480 * 1024,  # MiB: the plugin writes the number, and Slurm reads MiB
        "nodes": 2,
        "cpus_per_task": 7,
        "slurm_extra": "--no-requeue --ntasks-per-node=8 --gpus-per-node=8",
        "mpi": "srun",
        "tasks": 16,
    }
    assert block.launcher == (
        "srun --nodes=2 --ntasks=16 --cpus-per-task=7 --gpus-per-node=8 --kill-on-bad-exit=1 "
        f"--cpu-bind={MASKS} env LUMIPIPE_DEVICES=8 {{bind}}"
    )


def test_one_device_of_a_shared_node(lumi: Machine) -> None:
    block = derived(lumi, "lumi-small-g", 1)
    assert snakemake_resources(block) == {
        "slurm_account": account_of(lumi),
        "slurm_partition": "small-g",
        "runtime": 15,
        "mem_mb": 55 * 1024,
        "nodes": 1,
        "cpus_per_task": 7,
        "slurm_extra": "--no-requeue",
        "gpu": 1,  # and neither mpi nor tasks: with tasks the plugin adds --ntasks-per-gpu
    }
    assert block.launcher == "env LUMIPIPE_DEVICES=1 {bind}"


def test_cores_of_a_shared_node(lumi: Machine) -> None:
    block = derived(lumi, "lumi-small", 4)
    assert snakemake_resources(block) == {
        "slurm_account": account_of(lumi),
        "slurm_partition": "small",
        "runtime": 15,
        "mem_mb": 4 * 1792,
        "nodes": 1,
        "cpus_per_task": 1,
        "slurm_extra": "--no-requeue --ntasks-per-node=4",
        "mpi": "srun",
        "tasks": 4,
    }
    assert block.launcher == (
        "srun --nodes=1 --ntasks=4 --cpus-per-task=1 --kill-on-bad-exit=1 --cpu-bind=cores {bind}"
    )


def test_one_core(lumi: Machine) -> None:
    block = derived(lumi, "lumi-small", 1)
    resources = snakemake_resources(block)
    assert not {"mpi", "tasks", "gpu"} & set(resources)
    assert block.launcher == "{bind}"


def test_whole_cpu_nodes_deal_out_all_their_cores(lumi: Machine) -> None:
    block = derived(lumi, "lumi-standard", 4, memory_mib_per_rank=112 * 1024)
    assert (block.nodes, block.tasks_per_node, block.cpus_per_task) == (2, 2, 64)
    assert block.memory_mib == 224 * 1024


def test_masks_belong_to_devices_that_the_job_has(lumi: Machine) -> None:
    few = derived(lumi, "lumi-standard-g", 8, memory_mib_per_rank=100 * 1024)
    assert (few.nodes, few.tasks_per_node, few.devices_per_node) == (2, 4, 8)
    assert f"--cpu-bind={','.join(MASKS.split(',')[:4])} " in few.launcher
    shared = derived(lumi, "lumi-small-g", 4)
    assert "--cpu-bind=cores " in shared.launcher
    filled = derived(lumi, "lumi-small-g", 8)
    assert f"--cpu-bind={MASKS} " in filled.launcher


def test_asked_memory_comes_on_top_of_the_workflows_own(lumi: Machine) -> None:
    assert derived(lumi, "lumi-small", 3, memory_mib_per_rank=1000).memory_mib == 3300
    assert derived(lumi, "lumi-small-g", 2, memory_mib_per_rank=1000).memory_mib == 2300


def test_a_second_machine_needs_nothing_but_its_folder(roihu: Machine) -> None:
    several = derived(roihu, "roihu-gpularge", 8)
    assert snakemake_resources(several) == {
        "slurm_account": account_of(roihu),
        "slurm_partition": "gpularge",
        "runtime": 15,
        "mem_mb": 4 * 217 * 1024,
        "nodes": 2,
        "cpus_per_task": 72,
        "slurm_extra": "--no-requeue --ntasks-per-node=4 --gpus-per-node=gh200:4",
        "mpi": "srun",
        "tasks": 8,
    }
    one = snakemake_resources(derived(roihu, "roihu-gpumedium", 1))
    assert (one["gpu"], one["gpu_model"], one["mem_mb"]) == (1, "gh200", 217 * 1024)


def test_the_first_partition_that_takes_the_job(lumi: Machine) -> None:
    def where(ranks: int, minutes: int = 15, target: str = "lumi-standard-g") -> str:
        return derived(lumi, target, ranks, verb="prepare", minutes=minutes).partition

    assert where(16) == "small"
    assert where(1024) == "standard"
    assert where(8, 30, "lumi-dev-g") == "debug"
    assert where(8, 31, "lumi-dev-g") == "small"
    with pytest.raises(InputError, match=r"partition=small, .* and ranks=65544, partition=stand"):
        where(65_544)


def test_routes_add_their_flags(lumi: Machine) -> None:
    one = derived(lumi, "lumi-small-g", 8, route="container")
    two = derived(lumi, "lumi-standard-g", 16, route="container")
    assert one.extra[-1] == "--network=single_node_vni"
    assert "--network=single_node_vni" not in two.extra
    assert "--mpi=pmi2 --gres-flags=allow-task-sharing env" in two.launcher
    cpu = derived(lumi, "lumi-small", 2, route="container")
    assert "--mpi=pmi2 {bind}" in cpu.launcher
    with pytest.raises(InputError, match="no route scenic; use one of native, container"):
        derived(lumi, "lumi-small", 1, route="scenic")


def test_a_path_with_a_space_stays_one_word(lumi: Machine) -> None:
    block = derived(lumi, "lumi-small", 1, bind=Path("/my jobs/bind.sh"))
    assert block.launcher == "'/my jobs/bind.sh'"


def test_a_block_survives_json(lumi: Machine) -> None:
    block = derived(lumi, "lumi-dev-g", 24)
    assert Block.from_dict(json.loads(json.dumps(block.as_dict()))) == block


@pytest.mark.parametrize(
    "change",
    [
        {"tasks": 10, "tasks_per_node": 4, "nodes": 2},
        {"devices_per_node": 3},
        {"memory_mib": 0},
        {"minutes": 0},
        {"nodes": -1, "tasks_per_node": -8},
    ],
)
def test_a_block_that_contradicts_itself_is_refused(lumi: Machine, change: dict[str, int]) -> None:
    content = derived(lumi, "lumi-small-g", 8).as_dict() | change
    named = "ranks={tasks}, ranks per node={tasks_per_node}, nodes={nodes}, devices per node="
    with pytest.raises(InputError) as caught:
        Block.from_dict(content)
    assert named.format(**content) in caught.value.problem


@pytest.mark.parametrize(
    ("target", "ranks", "asked", "problem"),
    [
        ("lumi-smal", 1, {}, "LUMI has no target lumi-smal; did you mean lumi-small"),
        ("mine", 1, {}, "has no target mine; use lumi-small, lumi-standard,"),
        ("lumi-small", 0, {}, "ranks=0"),
        ("lumi-small", 1, {"verb": "report"}, "target lumi-small has no partition for report"),
        ("lumi-small", 1, {"account": None}, "no account is given"),
        ("lumi-small", 1, {"needs_device": True}, "partition=small, devices of a node=0"),
        ("lumi-small-g", 1, {"needs_device": False}, "devices would be billed and not used"),
        ("lumi-debug", 1, {"minutes": 31}, "minutes=31, nodes=1, partition=debug: 30 minutes"),
    ],
)
def test_contradictions_are_refused(
    lumi: Machine, target: str, ranks: int, asked: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        derived(lumi, target, ranks, **asked)
    assert caught.value.place == "request.yaml:7"


def test_which_verbs_need_a_device() -> None:
    assert needs_device("train", "cupy") is True
    assert needs_device("score", "numpy") is False
    assert needs_device("train", "auto") is None
    assert needs_device("prepare", "numpy") is None


@given(
    st.sampled_from(list(MACHINES.values())).flatmap(
        lambda machine: st.tuples(st.just(machine), st.sampled_from(list(machine.targets)))
    ),
    st.sampled_from(["prepare", "train", "score"]),
    st.integers(1, 9000),
    st.none() | st.integers(1, 5000),
    st.none() | st.integers(1, 2**20),
)
def test_no_job_breaks_a_limit_of_its_partition(
    where: tuple[Machine, str], verb: str, ranks: int, minutes: int | None, memory: int | None
) -> None:
    machine, target = where
    try:
        block = derived(
            machine, target, ranks, verb=verb, minutes=minutes, memory_mib_per_rank=memory
        )
    except InputError:
        return
    partition = machine.partitions[block.partition]
    kinds = machine.node_kinds(block.partition)
    assert block.tasks == ranks
    assert partition.least_nodes <= block.nodes <= partition.most_nodes
    assert 0 < block.minutes <= partition.minutes
    assert block.nodes * block.minutes / 60 <= (partition.node_hours or 10**9)
    assert 0 < block.memory_mib <= kinds[-1].memory_gib * 1024
    assert block.tasks_per_node * block.cpus_per_task <= kinds[-1].cores
    assert block.devices_per_node <= kinds[-1].devices
    assert block.memory_mib >= block.tasks_per_node * (memory or 0)


# Flags that snakemake-executor-plugin-slurm 2.8.0 keeps to itself, from its validation.py: it
# refuses a slurm_extra that has one of them.
MANAGED = (
    *("--job-name", "--output", "--error", "--parsable", "--export", "--comment", "--workdir"),
    *("--account", "--partition", "--mem", "--mem-per-cpu", "--ntasks", "--ntasks-per-gpu"),
    *("--cpus-per-task", "--cpus-per-gpu", "--time", "--constraint", "--qos", "--nodes"),
    *("--clusters", "--gres", "--gpus"),
)


@pytest.mark.parametrize("where", PARTITIONS, ids=lambda where: f"{where[0].machine}:{where[1]}")
def test_the_plugin_takes_all_flags(where: tuple[Machine, str]) -> None:
    machine, name = where
    targets = [key for key, it in machine.targets.items() if name in it.partitions("train")]
    for target in targets:
        for route in machine.routes:
            for ranks in (1, 8, 2304):
                try:
                    block = derived(machine, target, ranks, route=route)
                except InputError:
                    continue
                words = [flag.partition("=")[0] for flag in block.extra]
                assert all(word.startswith("--") for word in words)
                assert not set(words) & set(MANAGED)
                assert not {"gres", "tasks_per_node", "tasks_per_gpu"} & set(
                    snakemake_resources(block)
                )
