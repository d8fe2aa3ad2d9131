"""Which sums a fused convolution makes and what it counts, as tables of integers."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from lumipipe.kernels.convolution import KERNELS, TAPS

if TYPE_CHECKING:
    from types import ModuleType

    from lumipipe.backend import Array
    from lumipipe.kernels.convolution import ConvolutionParameters


@lru_cache(maxsize=8)
def plan(
    xp: ModuleType, where: str, parameters: ConvolutionParameters, most: int
) -> tuple[Array, Array, Array]:
    """Groups of kernels that share sums, their channels, and the items of each.

    Parameters
    ----------
    xp : module
        Array namespace of the tables.
    where : str
        Name of the device that is current; part of the key under which tables are kept.
    parameters : ConvolutionParameters
        Dilations, channel subsets and numbers of biases.
    most : int
        Biases that an item has at most.

    Returns
    -------
    groups : array of int32, shape (group, 5)
        Dilation, first member, members, first item and items of each, by rising dilation.
    members : array of int32, shape (member,)
        Channels, group after group.
    items : array of int32, shape (item, 6)
        Three shifts in samples, first feature, number of biases, and samples that are cut at
        either end.
    """
    del where
    groups: list[tuple[int, ...]] = []
    members: list[int] = []
    items: list[tuple[int, ...]] = []
    first = 0
    for number, dilation in enumerate(parameters.dilations):
        count = parameters.biases_per_kernel[number]
        for subset, kernels in _kernels_by_subset(parameters, number).items():
            own = [
                item
                for kernel in kernels
                for item in _items(kernel, number, dilation, first + kernel * count, count, most)
            ]
            groups.append((dilation, len(members), len(subset), len(items), len(own)))
            members += subset
            items += own
        first += len(KERNELS) * count
    return (
        xp.asarray(groups, dtype=xp.int32),
        xp.asarray(members, dtype=xp.int32),
        xp.asarray(items, dtype=xp.int32),
    )


def _kernels_by_subset(
    parameters: ConvolutionParameters, number: int
) -> dict[tuple[int, ...], list[int]]:
    """Kernels of each channel subset at one dilation."""
    found: dict[tuple[int, ...], list[int]] = {}
    for kernel in range(len(KERNELS)):
        found.setdefault(parameters.subsets[number * len(KERNELS) + kernel], []).append(kernel)
    return found


def _items(
    kernel: int, number: int, dilation: int, first: int, count: int, most: int
) -> list[tuple[int, ...]]:
    """A kernel's shifts in rows, first feature, number of biases and rows cut at either end."""
    cut = (number + kernel) % 2 * (TAPS // 2) * dilation
    a, b, c = (tap * dilation for tap in KERNELS[kernel])
    return [(a, b, c, first + i, min(most, count - i), cut) for i in range(0, count, most)]
