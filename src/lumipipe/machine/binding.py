"""Which cores and which device a rank on a node gets, and how srun is told.

``slurm/bind.sh`` gives the device to the rank; the cores are srun's own work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.machine.partitions import Node


@dataclass(frozen=True)
class Place:
    """Where one rank runs on its node.

    Parameters
    ----------
    cores : tuple of int
        Its cores, as the kernel numbers them.
    mask : int
        The same, one bit a core.
    device : int or None
        Its device, as the runtime numbers those of the node.
    """

    cores: tuple[int, ...]
    mask: int
    device: int | None


def core_mask(cores: Sequence[int]) -> int:
    """The mask of some cores: bit n stands for core n.

    Parameters
    ----------
    cores : sequence of int
        Numbers of cores, from 0.

    Returns
    -------
    int
        As srun wants it, in hexadecimal.

    Examples
    --------
    >>> f"{core_mask(range(17, 24)):x}"
    'fe0000'
    """
    return sum(1 << core for core in cores)


def place_of_rank(node: Node, local_rank: int, ranks_per_node: int) -> Place:
    """The cores and the device of a rank on a whole node.

    Parameters
    ----------
    node : Node
        The kind of node.
    local_rank : int
        Number of the rank on its node, from 0.
    ranks_per_node : int
        Ranks on each node.

    Returns
    -------
    Place
        With devices, the rank's own and the cores nearest to it; without, an equal part of the
        cores in order.

    Raises
    ------
    InputError
        If two ranks would share a device or a core.
    """
    room = node.devices or node.cores
    if not 0 <= local_rank < ranks_per_node <= room:
        raise InputError(
            "binding",
            f"local rank={local_rank}, ranks per node={ranks_per_node}, "
            f"{'devices' if node.devices else 'cores'} of the node={room}",
            "give each rank one of its own",
        )
    if node.cores_of_device:
        cores = tuple(node.cores_of_device[local_rank])
    else:
        each = node.cores // room if node.devices else node.cores // ranks_per_node
        every = range(node.cores + len(node.reserved_cores))
        usable = [core for core in every if core not in node.reserved_cores]
        cores = tuple(usable[local_rank * each : (local_rank + 1) * each])
    return Place(cores, core_mask(cores), local_rank if node.devices else None)


def cpu_bind(node: Node, ranks_per_node: int, *, whole: bool) -> str:
    """The value of srun's ``--cpu-bind``.

    Parameters
    ----------
    node : Node
        The kind of node.
    ranks_per_node : int
        Ranks on each node.
    whole : bool
        Whether the job has all cores of its nodes: masks name cores that others may have else.

    Returns
    -------
    str
        Masks in the order of local ranks where the cores of each device are known; ``cores``
        (srun deals out what the job has) where not.
    """
    if not (whole and node.cores_of_device):
        return "cores"
    masks = [place_of_rank(node, rank, ranks_per_node).mask for rank in range(ranks_per_node)]
    return f"mask_cpu:{','.join(f'{mask:x}' for mask in masks)}"


def cores_in_words(node: Node, ranks_per_node: int) -> str:
    """The cores of each local rank in the kernel's own form, such as 49-55, with spaces between.

    ``slurm/bind.sh`` compares them with what a rank has, where they are given to it.
    """
    lists = [place_of_rank(node, rank, ranks_per_node).cores for rank in range(ranks_per_node)]
    return " ".join(_ranges(cores) for cores in lists)


def _ranges(cores: Sequence[int]) -> str:
    """Numbers as the kernel lists them: 1-3,7."""
    runs: list[list[int]] = []
    for core in sorted(cores):
        if runs and core == runs[-1][-1] + 1:
            runs[-1].append(core)
        else:
            runs.append([core])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
