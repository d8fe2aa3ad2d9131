"""Sections of a soft sensor's report: measured beside predicted, what counts, distances."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.latent import latent_model
from lumipipe.families.pages.interface import read_by
from lumipipe.families.regression_scores import errors_left_out
from lumipipe.families.soft_sensor_proposals import settings_section
from lumipipe.language import say
from lumipipe.models.pls import importance
from lumipipe.reporting.figures.declared import Bars, Chart, Column, Limit, Panel, Table
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lumipipe.families.regression_scores import RegressionScores
    from lumipipe.families.soft_sensor_settings import Found
    from lumipipe.reporting.figures.declared import Figure
    from lumipipe.reporting.parts import Cell

_MOST_POINTS = 2000  # of a figure
_MOST_TARGETS = 5  # in one figure
_MOST_INPUTS = 40  # in a table
_NUMBER = re.compile(r"\[([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\]")


def sections(scores: Sequence[RegressionScores], settings: Sequence[Found]) -> list[Section]:
    """The sections, in order."""
    return [
        _course(scores),
        *([settings_section(scores[0], settings)] if settings else []),
        _errors(scores),
        *read_by("engineer", [_inputs(scores), _distances(scores[0])]),
    ]


def _places(score: RegressionScores) -> tuple[NDArray[np.int64], list[float], str]:
    """Which tested rows are drawn, where they stand on the x axis, and its name."""
    rows = score.test
    step = max(1, -(-len(rows["number"]) // _MOST_POINTS))
    drawn = np.arange(len(rows["number"])) % step == 0
    known = np.flatnonzero(np.isfinite(rows["truth"]))
    if len(known) <= _MOST_POINTS:
        drawn[known] = True
    chosen = np.flatnonzero(drawn)
    recordings = np.unique(rows["recording"])
    rate = score.regression.stream.rate_hz[recordings[0]] if len(recordings) == 1 else np.nan
    if np.isfinite(rate):
        return (
            chosen,
            (rows["row"][chosen] / rate / 3600.0).tolist(),
            say("time in the recording, h"),
        )
    if len(recordings) == 1:
        return chosen, rows["row"][chosen].astype(float).tolist(), say("row")
    return chosen, chosen.astype(float).tolist(), say("tested row, one recording after the other")


def _list(values: NDArray[np.float64]) -> list[float | None]:
    """Numbers with gaps as None."""
    return [float(value) if np.isfinite(value) else None for value in values]


def _course(scores: Sequence[RegressionScores]) -> Section:
    """Measured and predicted along the tested rows."""
    chosen, x, x_label = _places(scores[0])
    outside = np.flatnonzero(~scores[0].test["inside"][chosen]).tolist()
    panels = []
    for score in scores[:_MOST_TARGETS]:
        target, unit = score.channel
        rows = score.test
        panels.append(
            Panel(
                y=_list(rows["prediction"][chosen]),
                y_label=f"{target}, {unit}",
                dots=_list(rows["truth"][chosen]),
                line_label=say("predicted"),
                dots_label=say("measured"),
                alarms=outside,
            )
        )
    names = ", ".join(score.channel[0] for score in scores[:_MOST_TARGETS])
    figure = Chart(
        kind="chart",
        title=say("Measured and predicted {names}", names=names),
        caption=say(
            "Tested rows, which the model has not seen. Ticks along the top mark rows "
            "outside the known data, where predictions rest on nothing."
        ),
        alt=say(
            "Predicted {names} as a line, measured values as dots, in the order of rows.",
            names=names,
        ),
        x=x,
        x_label=x_label,
        panels=panels,
    )
    return Section(title=say("Measured and predicted"), figures=[figure])


def _errors(scores: Sequence[RegressionScores]) -> Section:
    """Errors on folds of the training rows beside those on the tested rows."""
    rows: list[list[Cell]] = []
    for score in scores:
        target, unit = score.channel
        half = float(score.half_widths[-1])
        left_out, tested = errors_left_out(score), score.known
        error = tested["prediction"] - tested["truth"]
        rows.append(
            [
                target,
                unit,
                _mean_of(np.abs(left_out)),
                _root_mean_square(left_out),
                half if np.isfinite(half) else None,
                _mean_of(np.abs(error)),
                _root_mean_square(error),
            ]
        )
    first = scores[0]
    path = np.asarray(first.model.arrays["path_error"]).mean(axis=0)
    choice = int(first.model.arrays["final_choice"])
    return Section(
        title=say("Errors, and how many latent variables"),
        paragraphs=[
            say(
                "Folds of the training rows chose the number of latent variables: for "
                "each fold, models of the others were tried on it, and errors of all "
                "targets were added up in variances of each. The figures of left-out "
                "training rows are from models that neither saw the row nor were chosen "
                "by it."
            )
        ],
        figures=[
            Table(
                kind="table",
                title=say("Errors of each target"),
                caption=say(
                    "Left out: rows of the training part, each by a model without its "
                    "fold. Tested: rows that were kept for the test."
                ),
                alt=say("Mean absolute and root-mean-square errors of each target."),
                columns=[
                    Column(label=say("target")),
                    Column(label=say("unit")),
                    Column(label=say("mean absolute error, left out")),
                    Column(label=say("root-mean-square error, left out")),
                    Column(label=say("half-width of intervals")),
                    Column(label=say("mean absolute error, tested")),
                    Column(label=say("root-mean-square error, tested")),
                ],
                rows=rows,
            ),
            Chart(
                kind="chart",
                title=say("Error by number of latent variables"),
                caption=say(
                    "Mean over the left-out folds; {choice} latent variables were chosen.",
                    choice=choice,
                ),
                alt=say("Error of left-out folds by number of latent variables."),
                x=np.arange(1.0, len(path) + 1).tolist(),
                x_label=say("latent variables"),
                y=path.tolist(),
                y_label=say("squared error, variances"),
                log_y=bool(path.min() > 0),
            ),
        ],
    )


def _mean_of(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if len(values) else None


def _root_mean_square(values: NDArray[np.float64]) -> float | None:
    return float(np.sqrt((values**2).mean())) if len(values) else None


def _inputs(scores: Sequence[RegressionScores]) -> Section:
    """Which inputs the model uses, and how."""
    first = scores[0]
    latent = latent_model(first.model.arrays)
    vip = np.asarray(importance(vars(latent)))
    change = first.model.arrays["final_coef"] * latent.spread_x[:, None]
    names = first.model.card["features"]
    axis = _axis(first, names)
    return Section(
        title=say("What the model uses"),
        paragraphs=[
            say(
                "Importance in projection (VIP) weighs inputs by what the latent "
                "variables that they enter explain; its mean square is one. What an input "
                "does to a prediction is told for one standard deviation more of this "
                "input alone."
            )
        ],
        figures=[
            *(
                _bars(scores, names, vip, change)
                if axis is None
                else [_along(scores, axis, vip, change)]
            )
        ],
    )


def _axis(score: RegressionScores, names: Sequence[str]) -> tuple[list[float], str] | None:
    """Place of each feature on the axis of its group of channels; None where there is none."""
    axes = {channel.axis for channel in score.regression.stream.channels if channel.group}
    found = [_NUMBER.search(name) for name in names]
    places = [float(match[1]) for match in found if match is not None]
    axis = next(iter(axes), None)
    if len(axes) != 1 or axis is None or len(places) < len(names):
        return None
    return places, axis


def _bars(
    scores: Sequence[RegressionScores],
    names: Sequence[str],
    vip: NDArray[np.float64],
    change: NDArray[np.float64],
) -> list[Figure]:
    """The inputs by importance, with what they do to each target."""
    order = np.argsort(-vip, kind="stable")
    several = len(scores) > 1
    target, unit = scores[0].channel
    bars = Bars(
        kind="bars",
        title=say("Importance of the inputs"),
        caption=say("The most important first."),
        alt=say("Importance of each input, and what it does to {target}.", target=target),
        labels=[names[n] for n in order],
        values=vip[order].tolist(),
        x_label=say("importance (VIP), 1"),
        second=None if several else change[order, 0].tolist(),
        second_label="" if several else say("change of {target}, {unit}", target=target, unit=unit),
    )
    if not several:
        return [bars]
    table = Table(
        kind="table",
        title=say("Change of the targets"),
        caption=say("When an input alone is one standard deviation higher."),
        alt=say("Change of each target for one standard deviation of each input."),
        columns=[
            Column(label=say("input")),
            *(Column(label=s.channel[0], unit=s.channel[1]) for s in scores),
        ],
        rows=[
            [names[n], *(float(f"{value:.3g}") for value in change[n])]
            for n in order[:_MOST_INPUTS]
        ],
    )
    return [bars, table]


def _along(
    scores: Sequence[RegressionScores],
    axis: tuple[list[float], str],
    vip: NDArray[np.float64],
    change: NDArray[np.float64],
) -> Chart:
    """Importance and effect along the axis of a group of channels."""
    order = np.argsort(axis[0], kind="stable")
    panels = [
        Panel(
            y=vip[order].tolist(),
            y_label=say("VIP, 1"),
            limits=[Limit(value=1.0, label=say("as much as on average"), style="theoretical")],
        )
    ]
    for score in scores[:_MOST_TARGETS]:
        target, unit = score.channel
        panels.append(
            Panel(
                y=change[order, score.target].tolist(),
                y_label=say("change of {target}, {unit}", target=target, unit=unit),
            )
        )
    return Chart(
        kind="chart",
        title=say("Importance of inputs along their axis"),
        caption=say("Inputs above the line count more than on average."),
        alt=say("Importance in projection and effect of the inputs along their axis."),
        x=np.asarray(axis[0])[order].tolist(),
        x_label=axis[1],
        panels=panels,
    )


def _distances(score: RegressionScores) -> Section:
    """T² and SPE of the tested rows with their limits."""
    chosen, x, x_label = _places(score)
    rows, arrays = score.test, score.model.arrays
    panels = []
    is_scaled = score.job.train.scaling == "unit"
    labels = {
        "t2": "T², 1",
        "spe": say("SPE, 1") if is_scaled else say("SPE, squared unit of inputs"),
    }
    for name, label in labels.items():
        limit = float(arrays[f"envelope_{name}"])
        limits = (
            [Limit(value=limit, label=say("limit of left-out rows"), style="empirical")]
            if np.isfinite(limit)
            else []
        )
        values = rows[name][chosen]
        panels.append(
            Panel(y=_list(values), y_label=label, limits=limits, log_y=bool((values > 0).all()))
        )
    share = score.regression.settings.guard_alpha
    return Section(
        title=say("Distance from the known data"),
        figures=[
            Chart(
                kind="chart",
                title=say("T² and SPE of the tested rows"),
                caption=say(
                    "Of training rows that were left out, {share:.0%} lie above each "
                    "limit. T² is the distance within the latent variables, SPE what they "
                    "leave of a row.",
                    share=share,
                ),
                alt=say("T² and SPE along the tested rows with limits."),
                x=x,
                x_label=x_label,
                panels=panels,
            )
        ],
    )
