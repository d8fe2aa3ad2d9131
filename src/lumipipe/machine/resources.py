"""From a request's ranks to what one job asks Slurm for, checked before anything is submitted."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError
from lumipipe.machine.flags import job_flags, launcher
from lumipipe.machine.limits import check_devices, checked_account, checked_minutes
from lumipipe.machine.shape import HEAD_MIB, cores_of_rank, fit
from lumipipe.machine.sizes import GIB

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.machine.facts import Machine, Route
    from lumipipe.machine.partitions import Partition
    from lumipipe.machine.shape import Shape

HERE = "laptop"
"""`compute.target` of a run without a scheduler, and where a request names none."""


@dataclass(frozen=True)
class Block:
    """What one job asks for.

    Parameters
    ----------
    verb : str
        What the job does.
    partition : str
        Where.
    nodes, tasks, tasks_per_node : int
        Ranks on nodes.
    cpus_per_task : int
        Cores of each rank.
    devices_per_node : int
        Devices of each node: one a rank at least, or none.
    device_type : str
        How Slurm calls them; empty where it needs no name.
    memory_mib : int
        Memory of each node, in MiB.
    minutes : int
        Time limit.
    account : str
        Project that pays; empty where the machine wants none.
    extra : tuple of str
        Further flags of sbatch.
    launcher : str
        What stands before the command of the verb; it may contain ``{bind}``.

    Raises
    ------
    InputError
        If the numbers contradict one another.
    """

    verb: str
    partition: str
    nodes: int
    tasks: int
    tasks_per_node: int
    cpus_per_task: int
    devices_per_node: int
    device_type: str
    memory_mib: int
    minutes: int
    account: str
    extra: tuple[str, ...]
    launcher: str

    def __post_init__(self) -> None:
        told = (
            f"ranks={self.tasks}, ranks per node={self.tasks_per_node}, nodes={self.nodes}, "
            f"devices per node={self.devices_per_node}"
        )
        positive = (self.nodes, self.tasks, self.cpus_per_task, self.memory_mib, self.minutes)
        if (
            min(positive) < 1
            or self.tasks != self.nodes * self.tasks_per_node
            or 0 < self.devices_per_node < self.tasks_per_node
        ):
            raise InputError(
                f"job of {self.verb}",
                f"{told}, cores of a rank={self.cpus_per_task}, MiB={self.memory_mib}, "
                f"minutes={self.minutes} contradict one another",
                "give nodes × ranks per node = ranks, and each rank a device or none",
            )

    def as_dict(self) -> dict[str, Any]:
        """The block as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Block:
        """The block that `as_dict` gave, also after a way through JSON."""
        known = {field.name: content[field.name] for field in fields(cls)}
        return cls(**known | {"extra": tuple(content["extra"])})


def needs_device(verb: str, backend: str) -> bool | None:
    """Whether a verb computes on a device; None where it takes what the partition has.

    Parameters
    ----------
    verb : str
        The verb. Reading files needs no device, so that prepare goes where its target says.
    backend : str
        ``compute.backend`` of the request.

    Returns
    -------
    bool or None
        For `derive`.
    """
    if verb == "prepare":
        return None
    return {"numpy": False, "cupy": True}.get(backend)


def derive(
    machine: Machine,
    *,
    verb: str,
    target: str,
    ranks: int,
    minutes: int | None,
    memory_mib_per_rank: int | None,
    account: str | None,
    needs_device: bool | None,
    place: str,
    bind: Path | None = None,
    route: str | None = None,
) -> Block:
    """What the job of a verb asks for.

    Parameters
    ----------
    machine : Machine
        The machine.
    verb : str
        prepare, train or score.
    target : str
        ``compute.target``: names the partitions of each verb; the first that takes the job is
        taken.
    ranks : int
        Ranks of the job.
    minutes : int or None
        Its time limit; the longest that is allowed where None.
    memory_mib_per_rank : int or None
        Memory of each rank, in MiB; a whole node's memory, or a fair share, where None.
    account : str or None
        The project that pays.
    needs_device : bool or None
        What `needs_device` says.
    place : str
        Where the request asks for all that, for the error.
    bind : Path or None
        The script bind.sh; ``{bind}`` stays in the launcher where None.
    route : str or None
        Software environment; the machine's own where None.

    Returns
    -------
    Block
        Consistent, and within all limits that the machine publishes.

    Raises
    ------
    InputError
        If what is asked for contradicts the machine; all values are named.
    """
    if ranks < 1:
        raise InputError(place, f"ranks={ranks}", "ask for 1 or more")
    paying = checked_account(machine, account, place)
    flags = _route(machine, route, place)
    refused: list[InputError] = []
    for name in _partitions(machine, verb, target, place):
        partition = machine.partitions[name]
        try:
            kind = machine.node_kinds(name)[0]
            check_devices(name, kind, verb, needs_device=needs_device, place=place)
            shape = fit(machine, name, ranks, memory_mib_per_rank, place)
            limit = checked_minutes(name, partition, shape.nodes, minutes, place)
        except InputError as error:
            refused.append(error)
            continue
        return _block(
            *(verb, name, partition, shape, flags, limit, memory_mib_per_rank, paying),
            launch=machine.launch,
            bind=bind,
        )
    problem = " and ".join(error.problem for error in refused)
    raise InputError(place, problem, refused[-1].remedy)


def _partitions(machine: Machine, verb: str, target: str, place: str) -> list[str]:
    """Names of the partitions to try."""
    if target == HERE and target not in machine.targets:
        known = ", ".join(machine.targets)
        raise InputError(
            place,
            f"no target of {machine.title} is named",
            f"use --target or compute.target: {known}",
        )
    if target not in machine.targets:
        near = difflib.get_close_matches(target, machine.targets, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"use {', '.join(machine.targets)}"
        raise InputError(place, f"{machine.title} has no target {target}", remedy)
    names = machine.targets[target].partitions(verb)
    if not names:
        raise InputError(place, f"target {target} has no partition for {verb}", "run it here")
    return names


def _route(machine: Machine, name: str | None, place: str) -> Route:
    """The flags of the software environment."""
    name = name or machine.route
    if name not in machine.routes:
        raise InputError(place, f"no route {name}", f"use one of {', '.join(machine.routes)}")
    return machine.routes[name]


def _block(
    verb: str,
    name: str,
    partition: Partition,
    shape: Shape,
    route: Route,
    minutes: int,
    memory_mib: int | None,
    account: str,
    *,
    launch: str,
    bind: Path | None,
) -> Block:
    """The job on the nodes that were found for it."""
    node, each = shape.node, shape.ranks_per_node
    # On a whole node all is paid for. Dealing out all cores spreads ranks over the memory, and
    # with all devices the first ranks have those that their masks of cores belong to.
    spread = partition.whole_nodes and not node.devices
    cores = node.cores // each if spread else cores_of_rank(partition, node)
    devices = min(node.devices, node.devices if partition.whole_nodes else each)
    whole = partition.whole_nodes or each * cores == node.cores
    tasks = shape.nodes * each
    kind = node.device_type or ""
    return Block(
        verb=verb,
        partition=name,
        nodes=shape.nodes,
        tasks=tasks,
        tasks_per_node=each,
        cpus_per_task=cores,
        devices_per_node=devices,
        device_type=kind,
        memory_mib=_memory(partition, shape, memory_mib),
        minutes=minutes,
        account=account,
        extra=job_flags(route, shape, devices, kind),
        launcher=launcher(launch, route, shape, cores, devices, kind, bind, whole=whole),
    )


def _memory(partition: Partition, shape: Shape, memory_mib: int | None) -> int:
    """Memory of each node of the job, in MiB; a fair share includes the workflow's own.

    Never 0: Slurm would give all there is, and a node whose memory was lost to an earlier job
    would take the job all the same.
    """
    if partition.share is None:
        return int(shape.node.memory_gib * GIB)
    if memory_mib is None:
        return int(shape.ranks_per_node * partition.share.memory_gib * GIB)
    return shape.ranks_per_node * memory_mib + HEAD_MIB


def snakemake_resources(block: Block) -> dict[str, int | str]:
    """A job as resources of Snakemake for its Slurm plugin (snakemake-executor-plugin-slurm 2.8).

    Parameters
    ----------
    block : Block
        The job.

    Returns
    -------
    dict of str to int or str
        Nothing is left to a default. ``mem_mb`` holds MiB: the plugin writes the number as it
        is, and Slurm reads it so; left out, Snakemake would ask for 1 to 8 GB.
    """
    resources: dict[str, int | str] = {"slurm_account": block.account} if block.account else {}
    resources |= {
        "slurm_partition": block.partition,
        "runtime": block.minutes,
        "mem_mb": block.memory_mib,
        "nodes": block.nodes,
        "cpus_per_task": block.cpus_per_task,
        "slurm_extra": " ".join(block.extra),
    }
    if block.tasks > 1:
        resources |= {"mpi": block.launcher.split()[0], "tasks": block.tasks}
    elif block.devices_per_node:
        resources["gpu"] = block.devices_per_node
        if block.device_type:
            resources["gpu_model"] = block.device_type
    return resources
