"""The leaves of a training, kept beside its model: a unit can leave, a site can sum its own.

They stay inside the zone of the data, and go with the product when somebody in it withdraws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lumipipe.errors import InputError
from lumipipe.store.artifact import read_arrays, write_arrays

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.fold import Leaves

LEAVES = "leaves"


class Kept(NamedTuple):
    """Leaves by pass, and the digests of the units in them."""

    leaves: dict[str, Leaves]
    units: list[str]


def write_leaves(product: Path, leaves: dict[str, Leaves]) -> None:
    """Write the leaves of all passes into a product."""
    names = [[name, *leaf] for name in sorted(leaves) for leaf in sorted(leaves[name])]
    arrays = {
        f"{number}.{key}": array
        for number, (name, *leaf) in enumerate(names)
        for key, array in leaves[name][tuple(leaf)].items()
    }
    card = {"passes": sorted(leaves), "leaves": names}
    write_arrays(product / LEAVES, arrays, card)


def read_leaves(product: Path) -> dict[str, Leaves]:
    """The leaves of all passes in a product.

    Raises
    ------
    InputError
        If none were kept; set rights.pool and train again.
    """
    if not has_leaves(product):
        raise InputError(
            str(product),
            "keeps no states of training",
            "set rights.pool in the request; run it again",
        )
    arrays, card = read_arrays(product / LEAVES)
    found: dict[str, Leaves] = {name: {} for name in card["passes"]}
    leaves = [found[name].setdefault(tuple(leaf), {}) for name, *leaf in card["leaves"]]
    for key, array in arrays.items():
        number, name = key.split(".", 1)
        leaves[int(number)][name] = array
    return found


def has_leaves(product: Path) -> bool:
    """Whether a product keeps leaves."""
    return (product / LEAVES).with_suffix(".npz").is_file()
