"""The verb ``packet``: make, merge, calibrate, inspect and fit statistics packets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm
from lumipipe.errors import InputError
from lumipipe.families import FAMILIES
from lumipipe.families.merging import (
    fit_sites,
    schema_of,
    site_parts,
    sums_alone,
    without_ranges,
)
from lumipipe.pool.border import check_packet
from lumipipe.pool.catalogue import Catalogue
from lumipipe.pool.log import append
from lumipipe.pool.packets import SCORES, Packet, Site, merged, packet_from, state_of
from lumipipe.pool.pseudonyms import digest_set
from lumipipe.store.artifact import write_arrays
from lumipipe.store.files import digest_file, write_bytes
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.deciding import check_terms
from lumipipe.tasks.derived import register
from lumipipe.tasks.leaves import read_leaves
from lumipipe.tasks.request import load_request
from lumipipe.tasks.stages import read_plan
from lumipipe.tasks.train import MODEL, open_job
from lumipipe.tasks.workflow import PLAN
from lumipipe.uncertainty.scores import Scores, from_places, places

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lumipipe.families.interface import Family, Job, Model
    from lumipipe.families.merging import Parts
    from lumipipe.fold import Leaves
    from lumipipe.tasks.request import Loaded

_STRICTEST = ("personal", "pseudonymous", "none")


class _Run(NamedTuple):
    """A finished run of a request with a pool."""

    loaded: Loaded
    job: Job
    leaves: dict[str, Leaves]
    pool: Catalogue
    product: str

    @property
    def parts(self) -> dict[str, Parts]:
        """The states of the site with their rows, and no value of single persons."""
        found = site_parts(self.loaded.family, self.job, self.leaves)
        personal = self.loaded.request.rights.personal_data != "none"
        return without_ranges(found) if personal else found

    @property
    def units(self) -> set[str]:
        """Whose states they are."""
        return {leaf[0] for part in self.leaves.values() for leaf in part}


def _open(run: Path) -> _Run:
    """The run in a folder."""
    plan = read_plan(run / PLAN)
    loaded = load_request(plan.request)
    trained = read_manifest(plan.stages["train"].manifest)
    leaves = read_leaves(trained.product)
    job = open_job(loaded, plan.stages, choose_backend("numpy"))
    rights = loaded.request.rights
    assert rights.pool is not None  # or there would be no leaves
    pool = Catalogue.at(loaded.base / rights.pool)
    return _Run(loaded, job, leaves, pool, trained.digest)


def make_packet(run: Path, site: str, fewest: int, file: Path) -> list[str]:
    """Write the packet of a finished run.

    Parameters
    ----------
    run : Path
        Folder of the run, whose request names a pool.
    site : str
        Name of the site; sites are held out in turn when a model is fitted.
    fewest : int
        Fewest units that a state may stand for.
    file : Path
        Where to write it.

    Returns
    -------
    list of str
        As `inspect_packet`.

    Raises
    ------
    InputError
        If the run keeps no states, its family's states do not add, terms deny it, or the border
        would refuse it; then nothing is written.
    """
    found = _open(run)
    decision = check_terms(found.loaded)
    schema = schema_of(found.loaded.family, found.job)
    state = state_of(sums_alone(found.parts))
    told = Site(
        name=site,
        units=_fewest_units(found.leaves, schema["passes"], is_dealt=bool(schema["dealt"])),
        rows=_rows(state),
        fewest=fewest,
        personal_data=found.loaded.request.rights.personal_data,
        noise="none",
        policies=() if decision is None else decision.policies,
        calibrated_on="",
        state=state,
    )
    return _written(Packet(schema, (told,)), file, found)


def _fewest_units(leaves: dict[str, Leaves], passes: list[str], *, is_dealt: bool) -> int:
    """The fewest units that any of the states stands for."""
    owners: dict[tuple[str, ...], set[str]] = {}
    for name in passes:
        for leaf in leaves[name]:
            part = () if is_dealt else leaf[1:]
            owners.setdefault((name, *part), set()).add(leaf[0])
    return min(map(len, owners.values()), default=0)


def _rows(state: dict[str, np.ndarray]) -> int:
    """The fewest rows that any of the states sums."""
    counts = [a for name, a in state.items() if name.endswith(('count"]', '.count"]'))]
    return min((int(count.max(initial=0)) for count in counts), default=0)


def _written(packet: Packet, file: Path, found: _Run) -> list[str]:
    """Write a packet, if the border lets it, and note inside who is in it."""
    check_packet(packet, str(file))
    # Inside, the log says who is in which packet; the packet itself does not.
    lineage = {"packet": packet.digest, "units": digest_set(found.pool.key, found.units)}
    append(found.pool.log, {"kind": "packet", **lineage})
    write_bytes(file, packet.content)
    register(found.pool, "packet", packet.digest, file, [found.product])
    return packet_lines(packet)


def merge_packets(files: Sequence[Path], out: Path, pools: Sequence[Path] = ()) -> list[str]:
    """Write one packet with the sites of all `files`, in any order, and note it in some pools."""
    catalogues = [Catalogue.at(pool) for pool in pools]
    packet = merged([(str(file), read_packet(file)) for file in files])
    check_packet(packet, str(out))
    write_bytes(out, packet.content)
    for pool in catalogues:
        register(pool, "merged packet", packet.digest, out, packet.digests_of_sites)
    return packet_lines(packet)


def calibrate_packet(file: Path, run: Path, site: str, out: Path) -> list[str]:
    """Write the packet of a site with the scores that its rows get from models of all sites.

    Parameters
    ----------
    file : Path
        The packet with the sums of all sites.
    run : Path
        Folder of the run that the site's own packet was made from.
    site : str
        Name of the site.
    out : Path
        Where to write it.

    Returns
    -------
    list of str
        As `inspect_packet`.

    Raises
    ------
    InputError
        If the packet does not hold the site as it is, or the border would refuse the new one.
    """
    packet, found = read_packet(file), _open(run)
    check_packet(packet, str(file))
    check_terms(found.loaded)
    own = next((item for item in packet.sites if item.name == site), None)
    parts = found.parts
    sums = state_of(sums_alone(parts))
    if own is None or not _equal({n: own.state.get(n) for n in sums}, sums):
        problem = f"does not hold site {site} as the run has it"
        raise InputError(str(file), problem, "make its packet again, and merge that")
    scores = Scores(found={})
    _fit(packet, {site: parts}, scores)
    assert scores.found is not None
    told = {SCORES + name: places(values) for name, values in sorted(scores.found.items())}
    calibrated = replace(own, state=sums | told, calibrated_on=packet.sums_digest)
    return _written(Packet(packet.schema, (calibrated,)), out, found)


def _equal(found: dict[str, np.ndarray | None], sums: dict[str, np.ndarray]) -> bool:
    """Whether states are equal byte for byte."""
    return all(
        found[name] is not None and np.asarray(found[name]).tobytes() == array.tobytes()
        for name, array in sums.items()
    )


def _family(packet: Packet, place: str) -> Family:
    """The family of a packet."""
    family = FAMILIES.get(packet.schema["family"])
    if family is None:
        problem = f"no family {packet.schema['family']} here"
        raise InputError(place, problem, "use another version")
    return family


def _fit(packet: Packet, instead: dict[str, dict[str, Parts]], scores: Scores) -> Model:
    """The model of the sites of a packet, with the states of some given instead."""
    parts: dict[str, Any] = {site.name: site.parts for site in packet.sites} | instead
    kinds = {site.personal_data for site in packet.sites}
    strictest = next(kind for kind in _STRICTEST if kind in kinds)
    family = _family(packet, "packet")
    return fit_sites(family, packet.schema, parts, strictest, scores, SerialComm())


def inspect_packet(file: Path) -> list[str]:
    """What a packet says of itself, and whether it may cross the border."""
    packet = read_packet(file)
    try:
        check_packet(packet, str(file))
    except InputError as error:
        return [*packet_lines(packet), f"border: REFUSED: {error.problem}"]
    return [*packet_lines(packet), "border: may leave"]


def fit_packet(file: Path, out: Path, pools: Sequence[Path] = ()) -> list[str]:
    """Write the model of a packet's sites into a folder, and note it in some pools.

    Each site is held out in turn where groups are. Thresholds are those of the scores of all
    sites; infinite where no site has told any.

    Raises
    ------
    InputError
        If the border would refuse the packet, it has too few sites, or only some of them have
        scores, or scores of other sums.
    """
    packet = read_packet(file)
    check_packet(packet, str(file))
    catalogues = [Catalogue.at(pool) for pool in pools]
    told = _told(packet, str(file))
    model = _fit(packet, {}, Scores(told=told))
    out.mkdir(parents=True, exist_ok=True)
    said = {
        "packet": packet.digest,
        "sites": [site.said() for site in packet.sites],
        "is_calibrated": bool(told),
    }
    write_arrays(out / MODEL, model.arrays, model.card | said)
    for pool in catalogues:
        digest = digest_file((out / MODEL).with_suffix(".npz"))
        register(pool, "model of sites", digest, out, packet.digests_of_sites)
    lines = [*packet_lines(packet), f"model: {out / MODEL}.npz"]
    if not told:
        lines.append("thresholds are infinite: no site told scores; lumipipe packet calibrate")
    return lines


def _told(packet: Packet, place: str) -> dict[str, np.ndarray]:
    """The scores of all sites, by what they set the threshold of; empty where no site has any."""
    if not any(site.calibrated_on for site in packet.sites):
        return {}
    expected = packet.sums_digest
    for site in packet.sites:
        if site.calibrated_on != expected:
            what = "of the sums of other sites" if site.calibrated_on else "missing"
            raise InputError(
                place,
                f"the scores of site {site.name} are {what}",
                "calibrate all sites on one packet: lumipipe packet calibrate",
            )
    names = sorted({name for site in packet.sites for name in site.scores})
    none = np.empty(0, dtype=np.int32)
    return {
        name: np.sort(from_places(np.concatenate([s.scores.get(name, none) for s in packet.sites])))
        for name in names
    }


def read_packet(file: Path) -> Packet:
    """The packet in a file."""
    try:
        return packet_from(file.read_bytes(), str(file))
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InputError(str(file), problem, "check the path") from error


def packet_lines(packet: Packet) -> list[str]:
    """What a packet says of itself."""
    lines = [f"packet {packet.digest[:16]}: {packet.schema['family']}, {len(packet.sites)} site(s)"]
    for name, stream in packet.schema["streams"].items():
        channels = ", ".join(f"{c['name']} ({c['unit']})" for c in stream["channels"])
        lines.append(f"  channels of {name}: {channels}")
    lines += [
        f"  {site.name}: {site.rows} rows of {site.units} unit(s), at least {site.fewest} asked; "
        f"personal data: {site.personal_data}; noise: {site.noise}; "
        f"scores: {'told' if site.calibrated_on else 'none'}"
        for site in packet.sites
    ]
    return lines
