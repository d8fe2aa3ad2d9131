"""The price of a run before its start, sampled once and kept in the folder of the run.

How it is made from a sample is in `lumipipe.tasks.quoting.pricing`, what a ceiling refuses in
`lumipipe.tasks.quoting.ceiling`, the table for people in `lumipipe.tasks.quoted`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lumipipe.backend import choose_backend
from lumipipe.config import Settings
from lumipipe.errors import InputError
from lumipipe.machine.constants import Here
from lumipipe.machine.facts import storage_area
from lumipipe.machine.limits import check_files
from lumipipe.machine.measured import load_measured
from lumipipe.store.files import digest_of, missing_folders, remove_empty, write_json
from lumipipe.tasks.before import check_deadline
from lumipipe.tasks.calibration import gram_rate, middle
from lumipipe.tasks.quoting.ceiling import check_ceiling
from lumipipe.tasks.quoting.costs import Sample
from lumipipe.tasks.quoting.extrapolation import works_of
from lumipipe.tasks.quoting.price import FILE, VERBS
from lumipipe.tasks.quoting.pricing import Pricing, Site
from lumipipe.tasks.quoting.sampling import Bounds, take_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lumipipe.backend import Backend
    from lumipipe.machine.facts import Machine
    from lumipipe.tasks.quoting.price import Quote
    from lumipipe.tasks.quoting.pricing import Blocks
    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.stages import Stage

    Log = Callable[[str], None]


_IDLE = 0.75  # reading programs and data for the first time costs up to a quarter of the time


class _Kept(Settings):
    """A sample with the digest of what it depends on."""

    key: str
    flops_s: float
    sample: Sample


def site_of(folder: Path, machine: Machine, target: str, blocks: Blocks) -> Site:
    """The machine in a folder, with what was measured there and the jobs of a request."""
    return Site(machine, load_measured(folder, machine.machine), target, blocks)


def quote_for(
    loaded: Loaded,
    stages: Mapping[str, Stage],
    out: Path,
    site: Site | None,
    ranks: int,
    log: Log,
    bounds: Bounds | None = None,
) -> Quote:
    """The price of a run, also written to ``quote.json`` in its folder.

    Parameters
    ----------
    loaded : Loaded
        The request.
    stages : mapping of str to Stage
        Its plan.
    out : Path
        Folder of the run.
    site : Site, optional
        Where it is to compute; this machine, without a scheduler, where absent.
    ranks : int
        Ranks of each job.
    log : callable of str
        Progress.
    bounds : Bounds, optional
        How much is sampled.

    Returns
    -------
    Quote
        Expected seconds and units of each stage, storage and files, with time limits that keep
        the ceiling.

    Raises
    ------
    InputError
        If the run may cost more than the ceiling of the request, or would leave more files than
        a run may; nothing is written then.

    Notes
    -----
    *Cost*: a second call for the same data, code and settings samples nothing.
    """
    pricing = pricing_of(loaded, stages, out, ranks, log, bounds)
    if site is None:
        quote = pricing.on_this_machine()
    else:
        area = storage_area(site.machine, out)
        quote = pricing.on(site, area)
        if quote.storage.area is not None:
            place = loaded.file.place(("prepare", "shard_bytes"))
            check_files(site.machine, quote.storage.area, quote.storage.files, place)
        check_ceiling(loaded, quote)
        check_deadline(loaded, quote.total("seconds"))
    notes = [*_busy(pricing.here.idle, out), *_notes(quote, site, out)]
    quote = quote.model_copy(update={"notes": notes})
    _keep(out, quote=quote.model_dump(mode="json"))
    return quote


def pricing_of(
    loaded: Loaded,
    stages: Mapping[str, Stage],
    out: Path,
    ranks: int,
    log: Log,
    bounds: Bounds | None = None,
) -> Pricing:
    """What a price is made from: sampled now, or when the same was asked before."""
    kept = _sampled(loaded, stages, out, log, bounds or Bounds())
    starts = {work.verb: work.start_s for work in works_of(kept.sample)}
    here = Here(starts, kept.flops_s, kept.sample.is_all, kept.sample.idle)
    return Pricing(loaded, stages, kept.sample, here, ranks)


def _sampled(
    loaded: Loaded, stages: Mapping[str, Stage], out: Path, log: Log, bounds: Bounds
) -> _Kept:
    """The sample: one that was kept if it is about the same, else a new one."""
    backend = _backend(loaded.request.compute.backend)
    keys = [stages[verb].key for verb in VERBS]
    key = digest_of({"stages": keys, "backend": backend.name, "bounds": list(bounds)})
    try:
        kept = _Kept.model_validate(_read(out)["sampled"])
        if kept.key == key:
            return kept
    except (KeyError, ValidationError):
        pass
    sample = take_sample(loaded, backend.name, bounds, log)
    kept = _Kept(key=key, flops_s=middle(gram_rate(backend)), sample=sample)
    _keep(out, sampled=kept.model_dump(mode="json"))
    return kept


def _backend(name: str) -> Backend:
    """What samples: the array library that is asked for, or NumPy where no device answers."""
    try:
        return choose_backend(name)
    except InputError:
        return choose_backend("numpy")


def _read(out: Path) -> dict[str, Any]:
    """What an earlier call has kept."""
    try:
        content = json.loads((out / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _keep(out: Path, **parts: Any) -> None:
    """Keep parts beside what was kept before, in one step."""
    made = missing_folders(out)
    out.mkdir(parents=True, exist_ok=True)
    try:
        write_json(out / FILE, {"lumipipe_quote": 1} | _read(out) | parts)
    except BaseException:
        remove_empty(made)
        raise


def _busy(idle: float, out: Path) -> list[str]:
    """What a reader must know of a sample that waited for a disk or for a core."""
    if idle > _IDLE:
        return []
    why = f"the sample computed in {idle:.0%} of its time: this machine was busy, or its disk slow"
    return [f"{why}; for a second look remove {out / FILE}"]


def _notes(quote: Quote, site: Site | None, out: Path) -> list[str]:
    """What a reader must know beside the numbers."""
    notes = []
    if quote.sampled_bytes < quote.raw_bytes:
        notes.append(
            "what was not sampled is taken to be like what was; what grew between two samples "
            "grows on"
        )
    idle = [stage for stage in quote.stages if stage.useful_ranks < stage.ranks]
    if idle and site is not None:
        told = ", ".join(f"{stage.verb} {stage.useful_ranks}" for stage in idle)
        notes.append(f"ranks that find work ({told}) are fewer than are paid for")
    for stage in quote.stages if site is not None else ():
        if stage.minutes is not None and 60 * stage.minutes < stage.seconds:
            notes.append(
                f"{stage.verb}: takes longer than its limit of {stage.minutes} min; the same "
                "command goes on where it was"
            )
        if stage.rank_bytes is not None and stage.rank_bytes < stage.peak_bytes:
            notes.append(
                f"{stage.verb}: a rank gets {stage.rank_bytes / 2**20:.0f} MiB, the sample took "
                f"{stage.peak_bytes / 2**20:.0f} MiB; raise compute.memory"
            )
    if site is not None:
        notes += _notes_of_site(quote, site, out)
    return notes


def _notes_of_site(quote: Quote, site: Site, out: Path) -> list[str]:
    """What is assumed of the machine."""
    notes = []
    if not site.entries:
        notes.append(
            f"nothing was measured on {quote.machine}: every constant is assumed, so look at the "
            "range (lumipipe bench measures)"
        )
    nodes = [site.machine.node_kinds(stage.where)[0] for stage in quote.stages]
    if quote.backend == "numpy" and any(node.devices for node in nodes):
        notes.append(
            "sampled with NumPy; a device is taken to be as fast as one core here, which is an "
            "upper bound"
        )
    if storage_area(site.machine, out) is None and quote.storage.area is not None:
        notes.append(f"{out} lies in no known storage area; priced as {quote.storage.area}")
    notes.append(
        "the head process is not in the price; as a job of its own it has one core for as long "
        "as the run takes, waiting included"
    )
    return notes
