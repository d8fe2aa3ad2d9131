"""Rolling bearings: averaged envelope spectra, fault lines by kinematics, and a fault classifier.

The diagnosis needs no training: one pass averages spectra, and the lines that the geometry
expects stand out or do not. The classifier learns faults from windows and is shown with the
split that holds groups out, beside what a random split would have claimed. What the answer
looks like is in `lumipipe.families.bearing_report`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from lumipipe.config import Fraction, GroupSplit, Identifier, PositiveFloat, RandomSplit, Settings
from lumipipe.errors import InputError
from lumipipe.families import bearing_report, verdicts
from lumipipe.families.bearing_diagnosis import FAULTS
from lumipipe.families.bundled import classifier_scorer
from lumipipe.families.guarded_classifier import GuardedClassifier, GuardedSettings
from lumipipe.families.interface import Merging, Model, Pass
from lumipipe.families.window_classifier import check_classifier, classifier_split
from lumipipe.kernels.spectra import squared_envelope_spectrum
from lumipipe.kernels.windows import window_batch
from lumipipe.language import message
from lumipipe.models.spectrum import EnvelopeReducer, signal_moments
from lumipipe.windows import plan_windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import Block, EventKind, Job, Outcome
    from lumipipe.fold import Batch, Leaf, Leaves
    from lumipipe.store.dataset import StreamTable

SPECTRA, CLASSIFIER, CLAIM = "spectra", "classifier", "random split"


class Train(Settings):
    """How spectra are averaged and faults are learnt."""

    channel: str
    """Channel with the vibration."""
    stream: Identifier = "main"
    """The stream with the channel."""
    band_hz: tuple[PositiveFloat, PositiveFloat] = (2000.0, 5000.0)
    """Band around a resonance, in which impacts ring."""
    segment_s: PositiveFloat = 1.0
    """Length of a spectrum; its lines are 1 / segment_s apart."""
    hop_s: PositiveFloat = 0.5
    """From the start of one spectrum to the next."""
    windows_per_chunk: Annotated[int, Field(ge=1)] = 16
    """Spectra that are computed together."""
    classifier: GuardedSettings | None = None
    """A classifier of faults; none where absent."""


class Baseline(Settings):
    """Recordings of the bearing in good order, which set the level of no fault."""

    label: Identifier
    """A label or attribute of recordings."""
    value: str
    """Its value in good order."""


class Score(Settings):
    """When lines are a fault, and when there is none."""

    harmonics: Annotated[int, Field(ge=1, le=5)] = 3
    """Harmonics of the fault frequency that have to stand out together."""
    tolerance: Fraction = 0.01
    """Slip and speed error, relative to the frequency."""
    fault_above: Annotated[float, Field(gt=1)] = 20.0
    """Score from which a fault may be named; it must also pass 99 % of the scores by chance."""
    lead: Annotated[float, Field(ge=1)] = 3.0
    """Factor by which the fault must lead the next likely one."""
    quiet_below: Annotated[float, Field(gt=1)] = 10.0
    """Score below which no fault line is seen."""
    level_ratio: Annotated[float, Field(gt=1)] = 1.5
    """Level in the band, relative to the baseline, up to which no fault may be stated."""
    truth: Identifier | None = None
    """Label with the true fault, to count right and wrong verdicts."""
    meaning: dict[str, str] = {}
    """Value of the true label to `inner race`, `outer race`, `ball`, `cage` or `no fault`."""


class Geometry(Settings):
    """A rolling bearing."""

    type: str
    """Designation."""
    n: Annotated[int, Field(ge=3)]
    """Rolling elements."""
    ratio_d_D: Fraction  # noqa: N815  # the name in the request form
    """Diameter of the elements over the pitch diameter."""
    contact_deg: Annotated[float, Field(ge=0, lt=90)] = 0.0
    """Contact angle."""


class Speed(Settings):
    """Where the speed of the shaft comes from, in 1/min."""

    attribute: str | None = None
    """Attribute of the recording with the measured speed."""
    by: Identifier | None = None
    """Label or attribute that tells the nominal speed where none was measured."""
    nominal: dict[str, PositiveFloat] = {}
    """Value of `by` to the nominal speed."""


class Asset(Settings):
    """What is known about the bearing."""

    bearing: Geometry
    speed: Speed
    baseline: Baseline | None = None


class Bearing:
    """Diagnosis of rolling bearings from vibration."""

    name = "bearing"
    title = message("diagnosis of rolling bearings")
    train_section: type[Settings] = Train
    score_section: type[Settings] = Score
    asset_section: type[Settings] = Asset
    groups: tuple[str, ...] = ()
    events: EventKind = "classes"

    def metrics(self, train: Train, score: Score) -> dict[str, str]:
        """Metrics by name, and the side on which they are good."""
        del train, score
        return bearing_report.METRICS

    def check(self, request: Request, train: Train, score: Score, asset: Asset, place: str) -> None:
        """Refuse unknown channels and bands, and splits that the classifier cannot use."""
        channels = [
            channel.name
            for source in request.data
            if source.stream == train.stream or request.prepare.grid is not None
            for channel in source.channels
        ]
        if train.channel not in channels:
            known = ", ".join(dict.fromkeys(channels))
            raise InputError(place, f"train.channel: no channel {train.channel}", f"use {known}")
        if not train.band_hz[0] < train.band_hz[1]:
            raise InputError(place, "train.band_hz does not rise", "write [lowest, highest]")
        if asset.speed.attribute is None and asset.speed.by is None:
            raise InputError(
                place, "asset.speed tells no speed", "give attribute, or by with nominal"
            )
        if score.truth is not None:
            wrong = set(score.meaning.values()) - set(FAULTS)
            if wrong:
                raise InputError(
                    place,
                    f"score.meaning: {min(wrong)} is no fault",
                    f"use {', '.join(FAULTS)}",
                )
        if train.classifier is not None:
            check_classifier(request, train.classifier, place)
        verdicts.check_conditions(request.evaluation.metrics, bearing_report.METRICS, place)

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """Averaged spectra, and cross-products for the classifier and for the claim beside it."""
        passes = {SPECTRA: _spectra_pass(job)}
        return passes | {name: part.train_pass() for name, part in classifiers(job).items()}

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """Spectra by recording, and the classifiers."""
        arrays: dict[str, np.ndarray] = {}
        cards: dict[str, Any] = {}
        for name, part in classifiers(job).items():
            if name not in leaves:
                continue
            fitted = part.fit(leaves[name], comm)
            arrays |= {f"{name}/{key}": array for key, array in fitted.arrays.items()}
            cards[name] = fitted.card
        if comm.rank == 0 and SPECTRA in leaves:  # not from states of sites
            arrays |= _spectra(job, leaves[SPECTRA])
        stream = job.dataset.streams[job.train.stream]
        card = {
            "family": self.name,
            "channel": job.train.channel,
            "band_hz": list(job.train.band_hz),
            "resolution_hz": _rate(job) / _plan_rows(job),
            "unit": stream.channels[_column(job, stream)].unit,
            "classifiers": cards,
        }
        return Model(arrays, card)

    def merging(self, job: Job, leaves: dict[str, Leaves]) -> Merging:
        """Machines leave; sites join their classifier, for a spectrum is of one recording."""
        parts = classifiers(job)
        if not parts:
            return Merging(alone="spectra are those of single recordings; name train.classifier")
        found = parts[CLASSIFIER].merging(CLASSIFIER, leaves)
        return found._replace(passes=(CLASSIFIER,))

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """Each window by a classifier that has not seen its group."""
        return {
            name: part.score_pass(bearing_report.classifier_model(model, name))
            for name, part in classifiers(job).items()
        }

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """A verdict for each recording, the honest figures of the classifier and the claim."""
        return bearing_report.judge(job, model, leaves, classifiers(job))

    def scorer(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Model | None:
        """The classifier as it answers new rows without the data; None where there is none."""
        del leaves
        part = classifiers(job).get(CLASSIFIER)
        if part is None:
            return None
        return classifier_scorer(part, bearing_report.classifier_model(model, CLASSIFIER))


def classifiers(job: Job) -> dict[str, GuardedClassifier]:
    """The classifier with the split of the request, and the random one that it is held against."""
    settings = job.train.classifier
    if settings is None:
        return {}
    split = classifier_split(job.request)
    own = {name: replace(job, scores=job.scores.below(name)) for name in (CLASSIFIER, CLAIM)}
    found = {CLASSIFIER: GuardedClassifier(own[CLASSIFIER], settings, split)}
    if isinstance(split, GroupSplit):
        because = "shown only to be held against the split by groups"
        random = RandomSplit(kind="random", because=because)
        found[CLAIM] = GuardedClassifier(own[CLAIM], settings, random)
    return found


def _column(job: Job, stream: StreamTable) -> int:
    """Number of the vibration channel."""
    return [channel.name for channel in stream.channels].index(job.train.channel)


def _rate(job: Job) -> float:
    """The one rate of the recordings that have the stream, in Hz."""
    stream = job.dataset.streams[job.train.stream]
    rates = np.unique(stream.rate_hz[stream.rows > 0])
    if len(rates) != 1 or not np.isfinite(rates).all():
        raise InputError(
            f"stream {job.train.stream}",
            f"its recordings have the rates {', '.join(f'{rate:g}' for rate in rates)} Hz",
            "set prepare.grid, or make one request for each rate",
        )
    if job.train.band_hz[1] > rates[0] / 2:
        raise InputError(
            "train.band_hz",
            f"ends at {job.train.band_hz[1]:g} Hz, above half the rate of {rates[0]:g} Hz",
            "lower the band",
        )
    return float(rates[0])


def _plan_rows(job: Job) -> int:
    """Rows of a spectrum."""
    segment_s: float = job.train.segment_s
    return max(2, round(segment_s * _rate(job)))


def _spectra_pass(job: Job) -> Pass:
    """Envelope spectra of all recordings; a leaf is a recording."""
    stream, length, backend = job.dataset.streams[job.train.stream], _plan_rows(job), job.backend
    column, hop = _column(job, stream), max(1, round(job.train.hop_s * _rate(job)))
    plan = plan_windows(
        [row.unit for row in job.dataset.recordings],
        stream.segments,
        length,
        hop,
        job.train.windows_per_chunk,
    )
    names = [row.id for row in job.dataset.recordings]
    xp = backend.xp

    def measure(block: Block) -> Mapping[Leaf, Batch]:
        batches: dict[Leaf, Batch] = {}
        signal = block.rows[:, column : column + 1]
        for r in np.unique(block.recording):
            starts = block.starts[block.recording == r]
            windows = window_batch(signal, backend.asarray(starts), length)[:, 0, :]
            windows = xp.astype(windows, xp.float64)
            amplitude = squared_envelope_spectrum(windows, _rate(job), job.train.band_hz)
            # Each sample once: the first `hop` rows of a window, and the whole of the last one.
            new = starts[:, None] + np.arange(min(hop, length))[None, :]
            batches[names[r],] = {
                "power": xp.matrix_transpose(amplitude * amplitude),
                # Bin 0 is the mean of the squared envelope: twice the mean square of the band.
                "band_power": 0.5 * amplitude[0, :],
                "signal": xp.take(signal, backend.asarray(new.reshape(-1)), axis=0),
            }
        return batches

    silence = xp.zeros((length, 1), dtype=xp.float64)
    lines = int(squared_envelope_spectrum(silence, _rate(job), job.train.band_hz).shape[0])
    return Pass(stream, plan, EnvelopeReducer(xp, lines), measure)


def _spectra(job: Job, leaves: Leaves) -> dict[str, np.ndarray]:
    """Averaged spectra and levels, one row a recording."""
    names = [row.id for row in job.dataset.recordings]
    states = {leaf[1]: state for leaf, state in leaves.items()}
    kept = [r for r, name in enumerate(names) if name in states]
    rows = [states[names[r]] for r in kept]
    windows = np.array([int(state["windows"]) for state in rows])
    signal = [signal_moments(state) for state in rows]
    variance = np.array([float(m["m2"][0] / m["count"][0]) for m in signal])
    fourth = np.array([float(m["m4"][0] / m["count"][0]) for m in signal])
    return {
        "spectrum_recording": np.asarray(kept, dtype=np.int64),
        "spectrum_windows": windows,
        "spectrum_power": np.stack([state["power"] for state in rows]) / windows[:, None],
        "spectrum_band_rms": np.sqrt([float(s["band_power"]) for s in rows] / windows),
        "signal_rms": np.sqrt(variance),
        "signal_kurtosis": fourth / variance**2,
    }
