"""How ranks are laid on the nodes of a partition: how many nodes, how many ranks on each.

Every node gets as many ranks, because Slurm gives each node of a job the same devices and the
same memory. Results do not depend on the number of ranks, so that a number which does not divide
is refused, with those that do: it would only pay for what stands idle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.machine.sizes import GIB, in_words

if TYPE_CHECKING:
    from lumipipe.machine.facts import Machine
    from lumipipe.machine.partitions import Node, Partition

HEAD_MIB = 300
"""Memory of the two Snakemake processes inside a job, 115 MB each measured (Snakemake 9.27.1 with
snakemake-executor-plugin-slurm 2.8.0, November 2026), and some reserve."""


@dataclass(frozen=True)
class Shape:
    """Ranks on nodes.

    Parameters
    ----------
    node : Node
        Kind of the nodes.
    nodes : int
        How many.
    ranks_per_node : int
        Ranks on each.
    """

    node: Node
    nodes: int
    ranks_per_node: int


def fit(machine: Machine, name: str, ranks: int, memory_mib: int | None, place: str) -> Shape:
    """The fewest nodes of a partition that take the ranks evenly.

    Parameters
    ----------
    machine : Machine
        The machine.
    name : str
        Name of the partition.
    ranks : int
        Ranks of the job.
    memory_mib : int or None
        Memory of each rank, in MiB; what falls to it where None.
    place : str
        Where ranks were asked for, for the error.

    Returns
    -------
    Shape
        Nodes of the kind with the least memory that suffices.

    Raises
    ------
    InputError
        If there is none, with all numbers that contradict and numbers of ranks that fit.
    """
    partition, kinds = machine.partitions[name], machine.node_kinds(name)
    room = max(most_ranks(partition, node, memory_mib) for node in kinds)
    if room == 0:
        raise _too_much_memory(name, partition, kinds, memory_mib, place)
    shape = _shape(partition, kinds, ranks, memory_mib)
    if shape is None:
        raise _no_shape(machine, name, ranks, memory_mib, place)
    return shape


def _shape(
    partition: Partition, kinds: list[Node], ranks: int, memory_mib: int | None
) -> Shape | None:
    """The fewest nodes that take the ranks evenly and full enough; None where there are none."""
    if not _within_job(partition, kinds[0], ranks):
        return None
    for nodes in range(partition.least_nodes, min(partition.most_nodes, ranks) + 1):
        each, rest = divmod(ranks, nodes)
        for node in kinds if not rest else ():
            room = most_ranks(partition, node, memory_mib)
            if room and each <= room:
                return Shape(node, nodes, each) if each >= partition.least_fill * room else None
    return None


def _within_job(partition: Partition, node: Node, ranks: int) -> bool:
    """Whether ranks keep within the cores and devices that one job may have."""
    cores = ranks * cores_of_rank(partition, node)
    devices = ranks if node.devices else 0
    return cores <= (partition.most_cores or cores) and devices <= (
        partition.most_devices or devices
    )


def cores_of_rank(partition: Partition, node: Node) -> int:
    """Cores that one rank needs: those of its device, or one, as a rank computes with one thread.

    The sums inside a BLAS depend on its number of threads, and ranks share the work anyway.
    """
    if partition.share is not None:
        return partition.share.cores
    return node.cores // node.devices if node.devices else 1


def most_ranks(partition: Partition, node: Node, memory_mib: int | None) -> int:
    """Ranks that one node takes.

    Parameters
    ----------
    partition : Partition
        The partition.
    node : Node
        One of its kinds of nodes.
    memory_mib : int or None
        Memory of each rank, in MiB; what falls to it where None.

    Returns
    -------
    int
        One a device, else one a core, as far as the memory goes; 0 where not even one fits.
    """
    share = partition.share
    room = node.devices or node.cores // cores_of_rank(partition, node)
    if memory_mib is None:
        return room if share is None else min(room, int(node.memory_gib / share.memory_gib))
    if share is not None and share.limit and memory_mib + HEAD_MIB > share.memory_gib * GIB:
        return 0
    # On a whole node the workflow's own is a thousandth, and 1/8 of the node is what people ask.
    kept = 0 if share is None else HEAD_MIB
    return min(room, int(node.memory_gib * GIB - kept) // memory_mib)


def _too_much_memory(
    name: str, partition: Partition, kinds: list[Node], memory_mib: int | None, place: str
) -> InputError:
    """The error about a rank that no node can take."""
    share = partition.share
    most = share.memory_gib if share is not None and share.limit else kinds[-1].memory_gib
    own = "" if share is None else f" and {HEAD_MIB} MiB for the workflow"
    what = "a rank of a shared node" if share is not None and share.limit else "a node"
    return InputError(
        place,
        f"memory={in_words(memory_mib or 0)} a rank{own}, partition={name}: "
        f"{what} has {in_words(int(most * GIB))} at most",
        "ask for less memory a rank, or for another target",
    )


def _no_shape(
    machine: Machine, name: str, ranks: int, memory_mib: int | None, place: str
) -> InputError:
    """The error about ranks that do not fit, with the numbers nearest to them that do."""
    partition, kinds = machine.partitions[name], machine.node_kinds(name)
    room = max(most_ranks(partition, node, memory_mib) for node in kinds)
    nodes = max(-(-ranks // room), partition.least_nodes)
    limits = {
        "ranks": ranks,
        "partition": name,
        "ranks per node (most)": room,
        "nodes (needed)": nodes,
        "nodes (least)": partition.least_nodes if partition.least_nodes > 1 else None,
        "nodes (most)": partition.most_nodes,
        "cores (most)": partition.most_cores,
        "devices (most)": partition.most_devices if kinds[0].devices else None,
        "memory of a rank": None if memory_mib is None else in_words(memory_mib),
    }
    told = ", ".join(f"{key}={value}" for key, value in limits.items() if value is not None)
    if nodes > partition.most_nodes or not _within_job(partition, kinds[0], ranks):
        why = "they do not fit"
    elif partition.whole_nodes and (kinds[0].devices or ranks % nodes == 0):
        what = "devices" if kinds[0].devices else "places for ranks"
        why = f"{nodes * room - ranks} of {nodes * room} {what} would be billed and idle"
    else:
        why = f"{ranks} ranks do not divide evenly over {nodes} nodes"
    near = [str(n) for n in _near(partition, kinds, ranks, memory_mib, nodes * room)]
    return InputError(
        place,
        f"{told}: {why}",
        f"ask for {' or '.join(near)} ranks, or for a target of other nodes"
        if near
        else "ask for a target of other nodes",
    )


def _near(
    partition: Partition, kinds: list[Node], ranks: int, memory_mib: int | None, above: int
) -> list[int]:
    """The next smaller and the next larger number of ranks that fit."""
    most = partition.most_nodes * max(most_ranks(partition, node, memory_mib) for node in kinds)
    down = range(min(ranks - 1, most), 0, -1)
    up = range(ranks + 1, min(above, most) + 1)
    found = (
        next((n for n in numbers if _shape(partition, kinds, n, memory_mib)), None)
        for numbers in (down, up)
    )
    return [number for number in found if number is not None]
