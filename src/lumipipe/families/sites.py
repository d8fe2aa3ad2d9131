"""Sites as a dataset of as many units, whose rows nobody has: what a family fits their states on.

The states come from `lumipipe.families.merging`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.backend import choose_backend
from lumipipe.config import Evaluation, Question, Request, Rights
from lumipipe.families.interface import Job
from lumipipe.partition import Span
from lumipipe.store.dataset import NO_TIME, Dataset, RecordingRow, StreamTable
from lumipipe.store.rows import channel_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lumipipe.families.interface import Family, Merging

_OF_A_SITE = {"leave_out"}
"""Settings that sites need not share."""
_OF_A_SENSOR = {"sensor", "certificate"}
_ALL_ROWS = 2**40
"""As many rows of the samples of sites as there are, so that none depends on other sites."""


def site_schema(job: Job, streams: Sequence[str], merging: Merging) -> dict[str, Any]:
    """What sites must agree in, as JSON values.

    Parameters
    ----------
    job : Job
        That of a site.
    streams : sequence of str
        Streams that the states are of.
    merging : Merging
        What the family says of its leaves.

    Returns
    -------
    dict
        Family, settings, channels, labels; not who was held out with whom.
    """
    evaluation = job.request.evaluation
    return {
        "family": job.request.question.family,
        "passes": list(merging.passes),
        "dealt": sorted(merging.dealt),
        "common": merging.common,
        "labels": merging.labels,
        "coverage": evaluation.interval.coverage,
        "seed": evaluation.seed,
        "split": None if merging.dealt else evaluation.split.model_dump(mode="json"),
        "train": _shared(job.train.model_dump(mode="json")),
        "score": job.score.model_dump(mode="json"),
        "asset": job.asset.model_dump(mode="json"),
        "streams": {name: _stream_schema(job.dataset.streams[name]) for name in streams},
    }


def _shared(settings: Any) -> Any:
    """Settings without those that sites need not share, at any depth."""
    if isinstance(settings, dict):
        return {key: _shared(v) for key, v in settings.items() if key not in _OF_A_SITE}
    return settings


def _stream_schema(stream: StreamTable) -> dict[str, Any]:
    """Channels, rate and labels of a stream."""
    rates = stream.rate_hz[(stream.rows > 0) & np.isfinite(stream.rate_hz)]
    return {
        "channels": [
            {key: value for key, value in channel.as_json().items() if key not in _OF_A_SENSOR}
            for channel in stream.channels
        ],
        "rate_hz": float(np.median(rates)) if len(rates) else None,
        "labels": {name: list(names) for name, names in sorted(stream.label_names.items())},
        "dtype": str(stream.dtype),
    }


def site_job(
    family: Family, schema: Mapping[str, Any], sites: Sequence[str], personal_data: str
) -> Job:
    """What a family fits sites on.

    Parameters
    ----------
    family : Family
        The analysis.
    schema : mapping
        From `site_schema`.
    sites : sequence of str
        Names of the sites, sorted.
    personal_data : str
        The strictest of the sites'.

    Returns
    -------
    Job
        Each site is a unit, and a group that is held out where groups are.
    """
    split = schema["split"] or {"kind": "group", "by": "unit"}
    request = Request.model_construct(
        lumipipe_request=1,
        id="sites",
        title="Sites",
        data=[],
        question=Question(
            decision="none",
            family=schema["family"],
            unit_of_decision="site",
            not_to_be_used_for=["anything but the fit"],
        ),
        rights=Rights.model_validate({"owner": "sites", "personal_data": personal_data}),
        evaluation=Evaluation.model_validate(
            {"split": split, "interval": {"coverage": schema["coverage"]}, "seed": schema["seed"]}
        ),
    )
    return Job(
        request=request,
        train=family.train_section.model_validate(_with_all_rows(schema["train"])),
        score=family.score_section.model_validate(schema["score"]),
        asset=family.asset_section.model_validate(schema["asset"]),
        dataset=_dataset(schema, sites),
        backend=choose_backend("numpy"),
    )


def _with_all_rows(settings: Any) -> Any:
    """Settings whose samples keep all rows that the sites' samples have."""
    if isinstance(settings, dict):
        return {
            key: _ALL_ROWS if key == "sample_rows" else _with_all_rows(value)
            for key, value in settings.items()
        }
    return settings


class _NoManifest:
    """Where a manifest would be."""

    product: Path


def _dataset(schema: Mapping[str, Any], sites: Sequence[str]) -> Dataset:
    """A recording of each site for each value of a label, of a row that nobody has."""
    values = schema["labels"]
    most = max((len(found) for found in values.values()), default=1)
    recordings = tuple(
        RecordingRow(
            id=f"{site} {number}",
            unit=site,
            source=site,
            file="",
            sha256="",
            attributes={},
            labels={n: found[min(number, len(found) - 1)] for n, found in values.items()},
        )
        for site in sites
        for number in range(most)
    )
    count = len(recordings)
    streams = {name: _stream(name, told, count) for name, told in schema["streams"].items()}
    return Dataset(_NoManifest(), recordings, streams)  # type: ignore[arg-type]  # has none


def _stream(name: str, told: Mapping[str, Any], recordings: int) -> StreamTable:
    """A stream of one row a recording."""
    rate = np.nan if told["rate_hz"] is None else told["rate_hz"]
    rates = np.full(recordings, rate)
    first = np.arange(recordings, dtype=np.int64)
    return StreamTable(
        name=name,
        channels=tuple(channel_row(content) for content in told["channels"]),
        dtype=np.dtype(told["dtype"]),
        first_row=first,
        rows=np.ones(recordings, dtype=np.int64),
        start_ns=np.full(recordings, NO_TIME, dtype=np.int64),
        rate_hz=rates,
        rate_u_hz=np.zeros(recordings),
        nominal_hz=rates,
        segments=tuple((Span(row, row + 1),) for row in range(recordings)),
        label_names={label: tuple(names) for label, names in told["labels"].items()},
        has_time=False,
        _offset=np.zeros(len(told["channels"])),
        _arrays={},
    )
