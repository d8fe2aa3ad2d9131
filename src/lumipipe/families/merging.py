"""States of training apart from the data: a unit leaves, sites join that share no data.

A site is a unit whose leaves are the merge of its units' leaves, so that a family fits sites as it
fits units. What a family says of its leaves is `lumipipe.families.interface.Merging`; how sites
become a dataset is in `lumipipe.families.sites`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import InputError
from lumipipe.families.sites import site_job, site_schema
from lumipipe.fold import merge_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import State
    from lumipipe.comm import Comm
    from lumipipe.families.interface import Dealt, Family, Job, Model
    from lumipipe.fold import Leaf, Leaves
    from lumipipe.uncertainty.scores import Scores

    Parts = dict[tuple[str, ...], State]

FEWEST_SITES = 3
"""One to test, one to choose on, one to fit."""
KEPT_APART = "calibrate"
"""Second part of the name of leaves that are in no fold."""
_TRAIN_AGAIN = "lumipipe run trains again from the others' data"


def without(
    family: Family, job: Job, units: frozenset[str], leaves: dict[str, Leaves]
) -> tuple[Job, dict[str, Leaves]]:
    """Job and leaves as they would be had some units never been there, for `Family.fit`.

    Parameters
    ----------
    family : Family
        Whose leaves they are.
    job : Job
        That of all units.
    units : frozenset of str
        Who leaves.
    leaves : dict of str to Leaves
        Leaves of all units, by pass.

    Returns
    -------
    Job
        That of the others.
    dict of str to Leaves
        Their leaves, untouched, under the numbers that their folds have now.

    Raises
    ------
    InputError
        If the others' leaves would be other ones without the units; then train again.
    """
    after = replace(job, dataset=job.dataset.without(units))
    kept = {
        name: {leaf: state for leaf, state in part.items() if leaf[0] not in units}
        for name, part in leaves.items()
    }
    if not after.dataset.recordings:
        raise InputError("train", "nobody else is in the data", "add data")
    if any(stream.is_shifted for stream in after.dataset.streams.values()):
        raise InputError("train", "how numbers are stored depends on all units", _TRAIN_AGAIN)
    old, new = family.merging(job, leaves), family.merging(after, kept)
    if old.anew:
        raise InputError("train", old.anew, _TRAIN_AGAIN)
    for what, value in old.common.items():
        if value != new.common[what]:
            raise InputError("train", f"{what} would change without them", _TRAIN_AGAIN)
    owners = [row.unit for row in job.dataset.recordings]
    others = [row.unit for row in after.dataset.recordings]
    for name, dealt in old.dealt.items():
        kept[name] = {
            _renamed(leaf, (owners, dealt), (others, new.dealt[name])): state
            for leaf, state in kept[name].items()
        }
    return after, kept


def _renamed(leaf: Leaf, old: tuple[list[str], Dealt], new: tuple[list[str], Dealt]) -> Leaf:
    """The leaf under the number of the fold that its groups are dealt to now."""
    unit, fold, *rest = leaf
    if fold == KEPT_APART:
        return leaf
    owners, before = old
    groups = {
        group
        for owner, group in zip(owners, before.groups, strict=True)
        if owner == unit and group and before.folds[group] == int(fold)
    }
    folds = {new[1].folds[group] for group in groups}
    if len(folds) != 1:
        raise InputError("train", "the folds would be dealt anew without them", _TRAIN_AGAIN)
    return (unit, str(folds.pop()), *rest)


def site_parts(
    family: Family, job: Job, leaves: dict[str, Leaves], units: frozenset[str] | None = None
) -> dict[str, Parts]:
    """The leaves of a site as a unit: those of all its units, merged.

    Parameters
    ----------
    family : Family
        Whose leaves they are.
    job : Job
        Its job.
    leaves : dict of str to Leaves
        Leaves of units, by pass.
    units : frozenset of str, optional
        Units of the site; all where left out.

    Returns
    -------
    dict of str to dict of tuple of str to State
        By pass, the states of the site under the names of its leaves without the unit, and
        without a fold that groups are dealt to. They hold sampled rows.

    Raises
    ------
    InputError
        If states of this family do not add, with the reason.
    """
    merging = family.merging(job, leaves)
    if merging.alone:
        raise InputError(family.name, f"gives no packets: {merging.alone}", "use another family")
    passes = family.train_passes(job)
    found: dict[str, Parts] = {}
    for name in merging.passes:
        mine = [leaf for leaf in sorted(leaves[name]) if units is None or leaf[0] in units]
        found[name] = {
            rest: merge_all(passes[name].reducer, [leaves[name][leaf] for leaf in parts])
            for rest, parts in _of_site(mine, is_dealt=name in merging.dealt).items()
        }
    return found


def _of_site(leaves: list[Leaf], *, is_dealt: bool) -> dict[tuple[str, ...], list[Leaf]]:
    """Leaves of units by the name that the leaf of their site has."""
    found: dict[tuple[str, ...], list[Leaf]] = {}
    for leaf in leaves:
        if not is_dealt:
            found.setdefault(leaf[1:], []).append(leaf)
        elif leaf[1] != KEPT_APART:
            found.setdefault(leaf[2:], []).append(leaf)
    for parts in found.values():
        if len({leaf[0] for leaf in parts}) < len(parts):
            raise InputError(
                "evaluation.split",
                "cuts units into folds, and states of a site merge unit by unit",
                "hold out by unit",
            )
    return found


def sums_alone(parts: dict[str, Parts]) -> dict[str, Parts]:
    """States without the rows of their samples."""
    return {
        name: {
            rest: {
                key: array[:0] if _is_sampled(key) else np.asarray(array)
                for key, array in state.items()
            }
            for rest, state in own.items()
        }
        for name, own in parts.items()
    }


def _is_sampled(key: str) -> bool:
    """Whether an array of a state holds single rows."""
    return key.rsplit(".", 1)[-1].startswith("sample_")


def without_ranges(parts: dict[str, Parts]) -> dict[str, Parts]:
    """States without least and greatest values, which are those of single units."""
    return {
        name: {
            rest: {k: array for k, array in state.items() if not k.startswith("range.")}
            for rest, state in own.items()
        }
        for name, own in parts.items()
    }


def schema_of(family: Family, job: Job) -> dict[str, Any]:
    """What states of sites must agree in so that they add: JSON values."""
    merging = family.merging(job, {})
    names = {family.train_passes(job)[name].stream.name for name in merging.passes}
    return site_schema(job, sorted(names), merging)


def fit_sites(
    family: Family,
    schema: Mapping[str, Any],
    parts: Mapping[str, dict[str, Parts]],
    personal_data: str,
    scores: Scores,
    comm: Comm,
) -> Model:
    """The model of sites, each held out in turn where groups are.

    Parameters
    ----------
    family : Family
        Whose states they are.
    schema : mapping
        What the sites agree in, from `schema_of`.
    parts : mapping of str to dict
        Of each site what `site_parts` gave, with or without rows.
    personal_data : str
        The strictest of the sites'.
    scores : Scores
        Takes the scores of the rows that are there, or tells those of all sites.
    comm : Comm
        The ranks, of which rank 0 has the parts.

    Returns
    -------
    Model
        Byte for byte that of the joined data whose states merge by site first, in any order of
        sites.

    Raises
    ------
    InputError
        If there are fewer than three sites.
    """
    if len(parts) < FEWEST_SITES:
        raise InputError(
            "packet",
            f"holds {len(parts)} sites",
            f"merge at least {FEWEST_SITES}: one to test, one to choose on, one to fit",
        )
    sites = sorted(parts)
    job = replace(site_job(family, schema, sites, personal_data), scores=scores)
    dealt = family.merging(job, {}).dealt
    leaves: dict[str, Leaves] = {name: {} for name in schema["passes"]}
    for site in sites:
        for name, own in parts[site].items():
            fold = [str(dealt[name].folds[site])] if name in dealt else []
            leaves[name] |= {(site, *fold, *rest): state for rest, state in own.items()}
    return family.fit(job, leaves, comm)


def joined_sites(family: Family, job: Job, leaves: dict[str, Leaves], by: str, comm: Comm) -> Model:
    """The model of joined data whose states merge by site first, as those of packets do.

    Parameters
    ----------
    family : Family
        Whose leaves they are.
    job : Job
        That of all units.
    leaves : dict of str to Leaves
        On rank 0, leaves of all units.
    by : str
        What is known of recordings that says whose they are.
    comm : Comm
        All ranks.

    Raises
    ------
    InputError
        If a unit belongs to several sites, a recording to none that is known, or groups other
        than sites are held out.
    """
    if family.merging(job, {}).dealt:
        held_out = getattr(job.request.evaluation.split, "by", None)
        if held_out != by:
            problem = f"is {by}, and {held_out} is held out"
            raise InputError("rights.site", problem, f"hold out by {by}, or leave rights.site out")
        return family.fit(job, leaves, comm)  # a fold is a site, whose units merge first anyway
    units = _units_of_sites(job, by)
    parts: dict[str, dict[str, Parts]] = {site: {} for site in units}
    if comm.rank == 0:
        for site, own in units.items():
            parts[site] = site_parts(family, job, leaves, frozenset(own))
    schema = schema_of(family, job)
    return fit_sites(family, schema, parts, job.request.rights.personal_data, job.scores, comm)


def _units_of_sites(job: Job, by: str) -> dict[str, set[str]]:
    """The units of each site, by what is known of recordings."""
    units: dict[str, set[str]] = {}
    for known in job.known():
        if by not in known:
            raise InputError(
                "rights.site", f"recording {known['recording']} has no {by}", "name its site"
            )
        units.setdefault(known[by], set()).add(known["unit"])
    if sum(map(len, units.values())) > len(set().union(*units.values())):
        raise InputError("rights.site", "a unit belongs to two sites", "name its one site")
    if len(units) < FEWEST_SITES:
        problem = f"there are {len(units)} sites by {by}"
        raise InputError("rights.site", problem, f"join at least {FEWEST_SITES}, or leave it out")
    return units
