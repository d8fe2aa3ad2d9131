"""What may leave the zone of personal data: datasets without them, and packets of many persons.

CSC's guide: projects on LUMI may not handle personal data. This is the one place that decides on
cards and packets; a request that targets LUMI is refused in `lumipipe.config` and by the machine's
file.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.errors import InputError
from lumipipe.pool.packets import SCORES

if TYPE_CHECKING:
    from lumipipe.pool.card import Card
    from lumipipe.pool.packets import Packet, Site

FEWEST_PERSONS = 3
"""Of two, each finds the other by taking away what is known to be their own."""
_ROWS_PREFIX = "sample_"
_SUMS = {f"{pair}{name}" for name in ("count", "mean", "comoment") for pair in ("", "pair_")}
_COMOMENT, _COUNT = 'comoment"]', 'count"]'
_ENDS = {"low", "high"}
_STAYS = "it stays inside; send a packet of more persons, or a data set without personal data"


def check_card(card: Card, place: str) -> None:
    """Refuse a dataset that may not leave.

    Raises
    ------
    InputError
        If it has personal data, was withdrawn, or nobody has stated terms for it.
    """
    if card.personal_data != "none":
        problem = f"{card.id} has personal_data: {card.personal_data}, which may not leave"
        raise InputError(place, problem, "send statistics packets instead: lumipipe packet make")
    if card.withdrawn:
        raise InputError(place, f"{card.id} was withdrawn", "ask its owner")
    if card.policy is None:
        raise InputError(place, f"{card.id} has no terms of use", "ask its owner to state them")


def check_packet(packet: Packet, place: str) -> None:
    """Refuse a packet that tells too much of somebody.

    Parameters
    ----------
    packet : Packet
        The packet.
    place : str
        The file, for messages.

    Raises
    ------
    InputError
        If a state stands for too few persons, holds rows, or does not declare its noise.
    """
    if not packet.sites:
        raise InputError(place, "holds no site", "make it from a finished run")
    for site in packet.sites:
        _check_site(site, f"{place}: site {site.name}")


def _check_site(site: Site, place: str) -> None:
    """Refuse the state of a site that tells too much."""
    fewest = max(site.fewest, 1 if site.personal_data == "none" else FEWEST_PERSONS)
    if site.units < fewest:
        what = "one person" if site.units == 1 else f"{site.units} units"
        raise InputError(place, f"its state stands for {what}, at least {fewest} are asked", _STAYS)
    sums = {name: array for name, array in site.state.items() if not name.startswith(SCORES)}
    for name, array in sums.items():
        _check_array(site, name, array, place)
    for name, array in site.scores.items():
        if array.dtype != np.int32 or array.ndim != 1 or (np.diff(array) < 0).any():
            # As they stand they would tell of single rows, in the order of rows.
            raise InputError(place, f"holds scores of {name} that are not on the grid", _STAYS)
    for name, array in sums.items():
        if name.endswith(_COMOMENT):
            count = sums[name.removesuffix(_COMOMENT) + _COUNT]
            _check_rows(min(site.rows, int(count.max(initial=0))), array.shape[-1], place)
    if not site.noise:
        raise InputError(place, "does not say what noise was added", "declare it: none where exact")


def _check_array(site: Site, name: str, array: np.ndarray, place: str) -> None:
    """Refuse an array that holds rows, or values of single units."""
    last = str(json.loads(name)[-1]) if name.startswith("[") else name
    own = last.rsplit(".", 1)[-1]
    if own.startswith(_ROWS_PREFIX):
        if len(array):
            raise InputError(place, "holds rows of single windows, not sums alone", _STAYS)
    elif own not in _SUMS and not (own in _ENDS and site.personal_data == "none"):
        # A least or greatest value is that of one person.
        raise InputError(place, f"holds {last}, which is no sum", _STAYS)


def _check_rows(rows: int, columns: int, place: str) -> None:
    """Refuse sums of no more rows than columns: the rows' span, if not the rows, is in them."""
    if rows <= columns:
        problem = f"sums {rows} rows in {columns} columns, which gives the rows away"
        raise InputError(place, problem, "use more rows or fewer features")
