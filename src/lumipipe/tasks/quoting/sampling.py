"""What the stages of a request cost on a sample of its data, each in a process of its own.

The real verbs run on the sample (`lumipipe.tasks.quoting.watching`), so that start-up, imports,
work and end are those of a job. A second, larger sample tells what grows with the data from what
does not; what follows for all data is in `lumipipe.tasks.quoting.extrapolation`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lumipipe.errors import InputError, RecordingError
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.adopting import is_adopted
from lumipipe.tasks.quoting.costs import Costs, Sample, StageCost, streams_of
from lumipipe.tasks.quoting.price import VERBS
from lumipipe.tasks.quoting.rawsample import is_all, linked, raw_files, sample_of, size_of
from lumipipe.tasks.quoting.storesample import published_sample
from lumipipe.tasks.quoting.watching import SAMPLE, sample_stages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lumipipe.tasks.quoting.rawsample import RawFile
    from lumipipe.tasks.request import Loaded

    Log = Callable[[str], None]
    Chosen = Sequence[Sequence[RawFile]]

_GROWTH = 4
_WORTH = 2  # a second sample that is less than twice the first would tell nothing new
_LONGEST_S = 1800.0
# What a batch system or a launcher sets would make the verb wait for other ranks.
_FOREIGN = ("SLURM_", "PMI", "OMPI_", "PALS_")


class Bounds(NamedTuple):
    """How much is sampled.

    Parameters
    ----------
    first_bytes : int, bytes
        Raw bytes of the first sample.
    most_bytes : int, bytes
        Raw bytes of the last one; single files may be larger.
    most_s : float, s
        Seconds that all samples together should take.
    """

    first_bytes: int = 2 * 2**20
    most_bytes: int = 64 * 2**20
    most_s: float = 40.0


def take_sample(loaded: Loaded, backend: str, bounds: Bounds, log: Log) -> Sample:
    """The costs of a request on samples of its data.

    Parameters
    ----------
    loaded : Loaded
        The request; its files have the digests that it declares.
    backend : str
        Array library that computes.
    bounds : Bounds
        How much is sampled.
    log : callable of str
        Progress.

    Returns
    -------
    Sample
        One or two samples; all data where they are few.

    Raises
    ------
    InputError
        If the request cannot be run on its data.

    Notes
    -----
    *Method*: a sample that the family refuses (too few groups to hold out, no row of a class)
    is followed by one four times as large, until it is all. The last sample is as large as the
    seconds allow that the first one took.
    """
    files = raw_files(loaded)
    total, rounds = size_of(files), []
    share = min(1.0, bounds.first_bytes / max(1, total))
    began = time.perf_counter()
    while True:
        chosen = sample_of(loaded.request.data, files, share)
        whole = is_all(chosen, files)
        log(f"sampling {_words(chosen)} of {_words(files)}")
        try:
            rounds.append(_round(loaded, chosen, backend))
        except InputError as error:
            # A recording whose file was cut may be bad for that alone; a larger sample tells.
            is_cut = any(not file.whole for source in chosen for file in source)
            if whole or (isinstance(error, RecordingError) and not is_cut):
                raise
            log(f"too little: {error.problem}")
            share = min(1.0, share * _GROWTH)
            continue
        left_s = bounds.most_s - (time.perf_counter() - began)
        share = _next_share(rounds[-1], total, bounds, left_s)
        if whole or len(rounds) > 1 or share * total < _WORTH * rounds[-1].raw_bytes:
            count = sum(len(source) for source in files)
            return Sample(files=count, raw_bytes=total, backend=backend, rounds=rounds)


def _words(files: Chosen) -> str:
    """Number and size of files, for the log."""
    return f"{sum(len(source) for source in files)} raw files, {size_of(files) / 1e6:.3g} MB"


def _next_share(last: Costs, total: int, bounds: Bounds, left_s: float) -> float:
    """The share of all bytes that the seconds which are left allow."""
    grows = sum(item.seconds for stage in last.stages.values() for item in stage.passes.values())
    left_s -= last.took_s - grows
    possible = left_s / max(grows, 1e-3) * last.raw_bytes
    return min(1.0, min(possible, bounds.most_bytes) / max(1, total))


def _round(loaded: Loaded, chosen: Chosen, backend: str) -> Costs:
    """The costs of all stages on one sample."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="lumipipe-quote-") as name:
        folder = Path(name)
        form = {
            "request": str(loaded.file.path.resolve()),
            "sources": _sources(loaded, chosen, folder / "raw"),
            "backend": backend,
        }
        (folder / SAMPLE).write_text(json.dumps(form), encoding="utf-8")
        stages = {verb: _in_process(verb, folder) for verb in VERBS}
        streams = streams_of(read_manifest(sample_stages(folder)["prepare"].manifest))
    return Costs(
        files=sum(len(source) for source in chosen),
        raw_bytes=size_of(chosen),
        stages=stages,
        streams=streams,
        took_s=time.perf_counter() - began,
    )


def _sources(loaded: Loaded, chosen: Chosen, folder: Path) -> list[dict[str, object]]:
    """What the sources of the request say to be about the sample, whose files are put here."""
    if is_adopted(loaded.request):
        return published_sample(loaded.request, loaded.base, chosen, folder)
    return linked(loaded.request.data, chosen, folder)


def _in_process(verb: str, folder: Path) -> StageCost:
    """The cost of one verb, run like a job: in a process that does nothing else."""
    command = [sys.executable, "-m", "lumipipe.tasks.quoting.watching", str(folder), verb]
    clean = {name: text for name, text in os.environ.items() if not name.startswith(_FOREIGN)}
    before, began = os.times(), time.perf_counter()
    run = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        env=clean | {"PYTHONNOUSERSITE": "1"},
        timeout=_LONGEST_S,
    )
    took, after = time.perf_counter() - began, os.times()
    if run.returncode:
        _raise(verb, folder, run.stderr)
    cost = StageCost.model_validate_json((folder / f"{verb}.cost.json").read_text("utf-8"))
    names = ("children_user", "children_system")
    computed = sum(getattr(after, name) - getattr(before, name) for name in names)
    start_s = max(0.0, min(took, computed) - cost.spent_s)
    times = {"start_s": start_s, "clock_s": took, "computed_s": computed}
    return cost.model_copy(update=times)


def _raise(verb: str, folder: Path, told: str) -> None:
    """Raise what the verb has refused; what it says on its way down is a defect."""
    refused = folder / f"{verb}.refused.json"
    if not refused.is_file():
        raise RuntimeError(f"{verb} failed on a sample:\n{told}")
    kind, *words = json.loads(refused.read_text(encoding="utf-8"))
    place, problem, remedy = (text.replace(f"{folder}/", "") for text in words)
    raise (RecordingError if kind == RecordingError.__name__ else InputError)(
        place, problem, remedy
    )
