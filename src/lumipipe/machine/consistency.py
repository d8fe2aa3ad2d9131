"""What must fit together in the facts of a machine: names that exist, limits that can be met."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lumipipe.machine.facts import Machine, Target
    from lumipipe.machine.partitions import Partition


def contradiction(machine: Machine) -> str:
    """The first thing that does not fit together as ``problem; remedy``; empty if there is none.

    Parameters
    ----------
    machine : Machine
        Facts that are right by themselves.

    Returns
    -------
    str
        Its first word is the path of the key, so that the error gets its line.
    """
    return next(_contradictions(machine), "")


def _contradictions(machine: Machine) -> Iterator[str]:
    """All that does not fit together."""
    if machine.route not in machine.routes:
        yield f"route {machine.route} is not described; use one of {_list(machine.routes)}"
    for name, partition in machine.partitions.items():
        yield from _of_partition(machine, f"partitions.{name}", partition)
    for name, target in machine.targets.items():
        yield from _of_target(machine, f"targets.{name}", target)


def _of_partition(machine: Machine, path: str, partition: Partition) -> Iterator[str]:
    """What does not fit between a partition and its nodes."""
    for kind in partition.nodes:
        if kind not in machine.nodes:
            yield f"{path}.nodes names {kind}; use {_list(machine.nodes)}"
            return
    kinds = [machine.nodes[kind] for kind in partition.nodes]
    memory = [node.memory_gib for node in kinds]
    if memory != sorted(memory):
        yield f"{path}.nodes have {memory} GiB; put the smallest first"
    if len({(node.cores, node.devices, node.architecture) for node in kinds}) > 1:
        yield f"{path}.nodes differ in more than memory; make two partitions of them"
    share, node = partition.share, kinds[0]
    if share is not None:
        ranks = node.devices or node.cores
        if ranks * share.cores > node.cores or ranks * share.memory_gib > kinds[-1].memory_gib:
            yield (
                f"{path}.share of {ranks} ranks is {ranks * share.cores} cores and "
                f"{ranks * share.memory_gib:g} GiB, a node has {node.cores} and "
                f"{kinds[-1].memory_gib:g}; make it smaller"
            )


def _of_target(machine: Machine, path: str, target: Target) -> Iterator[str]:
    """What does not fit between a target and its partitions."""
    architectures = set()
    for verb in type(target).model_fields:
        for name in target.partitions(verb):
            partition = machine.partitions.get(name)
            if partition is None:
                yield f"{path}.{verb} names {name}; use {_list(machine.partitions)}"
                return
            if partition.use == "attended":
                yield f"{path}.{verb} names {name}, where people sit and wait; use another"
            architectures |= {node.architecture for node in machine.node_kinds(name)}
    # A job runs the same Python, at the same path, as the head process that submitted it.
    if len(architectures) > 1:
        yield f"{path} mixes {_list(architectures)}; a run stays on one architecture"


def _list(names: object) -> str:
    """Names in a message, in order."""
    return ", ".join(sorted(names))  # type: ignore[call-overload]
