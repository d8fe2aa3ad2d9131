"""The diagnosis of the family `bearing`: what the averaged spectrum of a recording says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.errors import InputError
from lumipipe.families.bearing_lines import BACKGROUND_HZ, Lines, find_lines, null_scores
from lumipipe.families.interface import known_of
from lumipipe.kernels.kinematics import fault_frequencies
from lumipipe.language import say, term, translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.families.interface import Job, Model
    from lumipipe.store.dataset import RecordingRow

# Kinematic frequency that shows each fault: a ball strikes a race twice a turn of its own.
KINEMATICS = {
    term("inner race"): "BPFI",
    term("outer race"): "BPFO",
    term("ball"): "2xBSF",
    term("cage"): "FTF",
}
FAULTS = (*KINEMATICS, term("no fault"))
_CHANCE = 0.99


@dataclass(frozen=True)
class Diagnosis:
    """What the spectrum of one recording says.

    Parameters
    ----------
    recording : RecordingRow
        The recording.
    row : int
        Its row in the tables of spectra.
    shaft_hz : float
        Shaft frequency.
    lines : dict of str to Lines
        The lines of each fault.
    chance : float
        Score that 99 % of frequencies without a fault stay below in this spectrum.
    level : float or None
        Level in the band over that of the baseline; None without a baseline.
    verdict : str
        ``fault``, ``no fault``, ``inconclusive`` or ``reference``.
    fault : str
        The named fault, or ``no fault``, or empty.
    reason : str
        Why.
    """

    recording: RecordingRow
    row: int
    shaft_hz: float
    lines: dict[str, Lines]
    chance: float
    level: float | None
    verdict: str
    fault: str
    reason: str


def diagnose(job: Job, model: Model) -> list[Diagnosis]:
    """The diagnosis of each recording."""
    rows = [job.dataset.recordings[r] for r in model.arrays["spectrum_recording"]]
    baseline = job.asset.baseline
    band = model.arrays["spectrum_band_rms"]
    reference = np.zeros(len(rows), dtype=bool)
    if baseline is not None:
        known = [known_of(row) for row in rows]
        reference = np.array([k.get(baseline.label) == baseline.value for k in known])
        if not reference.any():
            raise InputError(
                "asset.baseline",
                f"no recording has {baseline.label} = {baseline.value}",
                "name recordings in good order, or leave baseline out",
            )
    level = band / band[reference].mean() if reference.any() else None
    return [
        _diagnose_one(
            job, model, row, i, None if level is None else float(level[i]), bool(reference[i])
        )
        for i, row in enumerate(rows)
    ]


def _diagnose_one(  # one recording with all that its verdict needs
    job: Job,
    model: Model,
    recording: RecordingRow,
    row: int,
    level: float | None,
    is_reference: bool,  # noqa: FBT001  # read off a mask
) -> Diagnosis:
    """Lines, chance and verdict of one recording."""
    score, bearing = job.score, job.asset.bearing
    shaft = shaft_hz(job, recording)
    expected = fault_frequencies(bearing.n, bearing.ratio_d_D, bearing.contact_deg, shaft)
    hertz = {fault: expected[name] for fault, name in KINEMATICS.items()}
    power = model.arrays["spectrum_power"][row]
    resolution = model.card["resolution_hz"]
    _check_reach(recording, len(power) * resolution, score.harmonics * max(hertz.values()))
    how = (score.harmonics, score.tolerance)
    lines = {fault: find_lines(power, resolution, f, *how) for fault, f in hertz.items()}
    by_chance = null_scores(power, resolution, shaft, hertz, *how)
    if not len(by_chance):
        raise InputError(
            f"recording {recording.id}",
            f"lines each {resolution:g} Hz are too coarse for a shaft at {shaft:.3g} Hz",
            "lengthen train.segment_s",
        )
    chance = float(np.quantile(by_chance, _CHANCE))
    verdict, fault, reason = _verdict(job, lines, chance, level)
    if is_reference:
        verdict, fault = term("reference"), ""
        reason = say("declared to be in good order; {reason}", reason=reason)
    return Diagnosis(recording, row, shaft, lines, chance, level, verdict, fault, reason)


def _check_reach(recording: RecordingRow, end_hz: float, needed_hz: float) -> None:
    """Refuse a band too narrow for the envelope to show all harmonics that are asked for."""
    if needed_hz + BACKGROUND_HZ > end_hz:
        raise InputError(
            f"recording {recording.id}",
            f"its envelope ends at {end_hz:.0f} Hz, but the harmonics reach {needed_hz:.0f} Hz",
            "widen train.band_hz or lower score.harmonics",
        )


def shaft_hz(job: Job, recording: RecordingRow) -> float:
    """Shaft frequency of a recording, measured or nominal.

    Raises
    ------
    InputError
        If neither is known.
    """
    speed, known = job.asset.speed, known_of(recording)
    if speed.attribute is not None and speed.attribute in known:
        return float(known[speed.attribute]) / 60.0
    if speed.by is not None and known.get(speed.by) in speed.nominal:
        return float(speed.nominal[known[speed.by]]) / 60.0
    raise InputError(
        f"recording {recording.id}",
        "its shaft speed is neither measured nor declared",
        "give asset.speed.by with a nominal speed for it",
    )


def _verdict(
    job: Job, lines: Mapping[str, Lines], chance: float, level: float | None
) -> tuple[str, str, str]:
    """Verdict, fault and reason."""
    score = job.score
    ranked = sorted(lines, key=lambda fault: -lines[fault].score)
    best, runner_up = ranked[0], ranked[1]
    top, second = lines[best].score, lines[runner_up].score
    if top >= max(score.fault_above, chance) and top >= score.lead * second:
        return (
            term("fault"),
            best,
            say(
                "{best} lines score {top:.0f}, the next {second:.0f}",
                best=translated(best),
                top=top,
                second=second,
            ),
        )
    if top >= score.quiet_below:
        return (
            term("inconclusive"),
            "",
            say(
                "{best} lines score {top:.0f}, but {runner_up} {second:.0f} and chance "
                "{chance:.0f}",
                best=translated(best),
                top=top,
                runner_up=translated(runner_up),
                second=second,
                chance=chance,
            ),
        )
    if level is None:
        return (
            term("inconclusive"),
            "",
            say("no fault line (score {top:.1f}), and no baseline to compare", top=top),
        )
    if level <= score.level_ratio:
        return (
            "no fault",
            "no fault",
            say(
                "no fault line (score {top:.1f}), level {level:.2f} of the baseline",
                top=top,
                level=level,
            ),
        )
    return (
        "inconclusive",
        "",
        say(
            "no fault line (score {top:.1f}), but the level is {level:.1f} times the baseline",
            top=top,
            level=level,
        ),
    )
