"""Poling cycles of a technique: from raw forces, or from the columns of an instrument's export.

Windows do not overlap. Of each, the rate, contact time, peak or mean force and impulse of each
side, and a second way of counting. What the answer makes of them is in
`lumipipe.families.technique_tables`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import numpy as np
from pydantic import Field, model_validator

from lumipipe.config import PositiveFloat, Settings, Text
from lumipipe.errors import InputError
from lumipipe.families.interface import Pass
from lumipipe.kernels.cycles import autocorrelation_rate, cycle_statistics
from lumipipe.kernels.windows import window_batch
from lumipipe.language import term, translated
from lumipipe.metrics.rows import RowsReducer
from lumipipe.windows import plan_windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.families.interface import Block, Job
    from lumipipe.families.technique_classifier import TechniqueClassifier
    from lumipipe.fold import Batch, Leaf
    from lumipipe.store.dataset import StreamTable
    from lumipipe.windows import WindowPlan

_MEAN_FORCE, _PEAK_FORCE = term("mean force, {side}"), term("peak force, {side}")
_PER_MINUTE = {"1/min": 1.0, "Hz": 60.0, "1/s": 60.0}
_MILLISECONDS = {"ms": 1.0, "s": 1e3}
_FEWEST_CYCLES = 3  # of a window whose two counts are compared: two are a rate without a check
NONE = -1
"""Class of a window that has none, or near which it changes."""


class Side(Settings):
    """Columns of one pole in an export."""

    contact: Text
    """Channel with the contact time of a cycle."""
    impulse: Text
    """Channel with the impulse of a cycle."""
    force: Text
    """Channel with the mean force."""


class Exported(Settings):
    """Cycles that the instrument has computed."""

    kind: Literal["exported"]
    rate: Text
    """Channel with the rate of cycles."""
    sides: Annotated[dict[str, Side], Field(min_length=2, max_length=2)]
    """Columns of each pole, by its side."""
    counter: Text | None = None
    """Channel that counts cycles up; its steps are compared with the rate."""
    beside: list[Text] = []
    """Channels whose means stand in the tables, too, such as speed and heart rate."""
    window_s: PositiveFloat = 10.0
    """Length of a window."""


class Forces(Settings):
    """Cycles that are found in forces."""

    kind: Literal["forces"]
    sides: Annotated[dict[str, Text], Field(min_length=2, max_length=2)]
    """Channel with the force of each pole, by its side."""
    begins: PositiveFloat = 30.0
    """Contact begins at this force, in the channels' unit."""
    ends: PositiveFloat = 15.0
    """Contact ends below this force."""
    band_hz: tuple[PositiveFloat, PositiveFloat] = (0.3, 2.5)
    """Slowest and fastest rate that the second way of counting looks for."""
    rate: Text | None = None
    """Channel with the instrument's own rate, to be compared; by autocorrelation where absent."""
    beside: list[Text] = []
    """Channels whose means stand in the tables, too, such as speed and heart rate."""
    window_s: PositiveFloat = 10.0
    """Length of a window."""

    @model_validator(mode="after")
    def _ordered(self) -> Forces:
        if self.ends > self.begins:
            raise ValueError("ends is above begins; contact must end below where it begins")
        if self.band_hz[0] >= self.band_hz[1]:
            raise ValueError("band_hz does not rise; write [slowest, fastest]")
        if self.window_s * self.band_hz[0] < 2:  # noqa: PLR2004  # one alone repeats nothing
            raise ValueError(
                "window_s holds less than two of the slowest cycles; lengthen it, or raise band_hz"
            )
        return self


Cycles: TypeAlias = Annotated[Exported | Forces, Field(discriminator="kind")]


@dataclass(frozen=True)
class CycleWindows:
    """The pass over cycles.

    Parameters
    ----------
    job : Job
        The request and its data.
    cycles : Exported or Forces
        Where cycles come from.
    stream : StreamTable
        What is read.
    classifier : TechniqueClassifier or None
        Knows the technique of a window; None where nobody does.
    """

    job: Job
    cycles: Exported | Forces
    stream: StreamTable
    classifier: TechniqueClassifier | None

    @cached_property
    def rate_hz(self) -> float:
        """The one rate of all recordings."""
        if self.classifier is not None:
            return self.classifier.rate_hz
        rates = np.asarray(self.stream.rate_hz, dtype=np.float64)
        if not np.isfinite(rates).all() or np.ptp(rates) > 0.02 * rates.min():
            raise InputError(
                "train.cycles",
                "the recordings do not have one rate",
                "set prepare.grid to bring them to one",
            )
        return float(np.median(rates))

    @property
    def window_rows(self) -> int:
        """Rows of a window."""
        return max(1, round(self.cycles.window_s * self.rate_hz))

    @property
    def margin_rows(self) -> int:
        """Rows on both sides that must carry its technique."""
        return 0 if self.classifier is None else self.classifier.margin_rows

    @cached_property
    def plan(self) -> WindowPlan:
        """Windows side by side; margins overlap."""
        plan = plan_windows(
            [row.unit for row in self.job.dataset.recordings],
            self.stream.segments,
            self.window_rows + 2 * self.margin_rows,
            self.window_rows,
            64,
        )
        if not len(plan.start):
            raise InputError(
                "train.cycles.window_s",
                f"no recording holds a window of {self.cycles.window_s:g} s with its margins",
                "shorten the window",
            )
        return plan

    @cached_property
    def names(self) -> list[tuple[str, str]]:
        """Name and unit of each column."""
        cycles, (a, b) = self.cycles, tuple(self.cycles.sides)
        unit = {c.name: c.unit for c in self.stream.channels}
        if isinstance(cycles, Exported):
            one = cycles.sides[a]
            force, strength, impulse = _MEAN_FORCE, unit[one.force], unit[one.impulse]
        else:
            force, strength = _PEAK_FORCE, unit[cycles.sides[a]]
            impulse = f"{strength} s"
        return [
            (term("cycle rate"), "1/min"),
            (term("rate, counted another way"), "1/min"),
            *((term("contact, {side}", side=side), "ms") for side in (a, b)),
            *((force.format(side=side), strength) for side in (a, b)),
            *((term("impulse, {side}", side=side), impulse.replace("*", " ")) for side in (a, b)),
            (term("share of a cycle in contact"), "%"),
            (term("{a} less {b}, of both impulses", a=a, b=b), "%"),
            *((name, unit[name]) for name in cycles.beside),
        ]

    def label(self, column: int) -> str:
        """Name and unit of a column as a report shows them; a channel is called as it is."""
        name, unit = self.names[column]
        return f"{name if name in self.cycles.beside else translated(name)} ({unit})"

    def cycle_pass(self) -> Pass:
        """Rows of windows with cycles and techniques."""
        columns = {
            "number": ("int64", ()),
            "recording": ("int64", ()),
            "technique": ("int64", ()),
            "values": ("float64", (len(self.names),)),
        }
        known = self.classifier is not None and self.classifier.per_row
        labels = (self.classifier.settings.label,) if known and self.classifier else ()
        reducer = RowsReducer(self.job.backend.xp, columns)
        return Pass(self.stream, self.plan, reducer, self._measure, labels)

    def _measure(self, block: Block) -> Mapping[Leaf, Batch]:
        """Cycles of each window of a block."""
        backend = self.job.backend
        technique = np.full(len(block.number), NONE, dtype=np.int64)
        if self.classifier is not None:
            truth, change = self.classifier.truth_and_change(block)
            technique = np.where(change, NONE, truth)
        starts = backend.asarray(block.starts + self.margin_rows)
        windows = window_batch(block.rows, starts, self.window_rows)
        found = self._exported(windows) if isinstance(self.cycles, Exported) else None
        values = self._forces(windows) if found is None else found
        return {
            ("cycles",): {
                "number": backend.asarray(block.number),
                "recording": backend.asarray(block.recording),
                "technique": backend.asarray(technique),
                "values": backend.asarray(np.stack(values, axis=1)),
            }
        }

    def _place(self, name: str) -> int:
        """Place of a channel in the stream."""
        return [channel.name for channel in self.stream.channels].index(name)

    def _factor(self, name: str, known: Mapping[str, float]) -> float:
        """What brings the unit of a channel to that of the tables."""
        unit = self.stream.channels[self._place(name)].unit
        if unit not in known:
            raise InputError(
                "train.cycles", f"channel {name} has the unit {unit}", f"use {', '.join(known)}"
            )
        return known[unit]

    def _exported(self, windows: object) -> list[NDArray[np.float64]]:
        """Means of an instrument's own columns over the seconds with cycles."""
        cycles, x = self.cycles, np.asarray(self.job.backend.to_host(windows), dtype=np.float64)
        assert isinstance(cycles, Exported)  # told apart by the caller
        rate = x[:, self._place(cycles.rate), :] * self._factor(cycles.rate, _PER_MINUTE)
        poling = rate > 0

        def level(name: str, factor: float = 1.0) -> NDArray[np.float64]:
            return _mean_where(x[:, self._place(name), :] * factor, poling)

        sides = list(cycles.sides.values())
        contact = [level(s.contact, self._factor(s.contact, _MILLISECONDS)) for s in sides]
        impulse = [level(s.impulse) for s in sides]
        counted = np.full(rate.shape[1], np.nan)
        if cycles.counter is not None:
            count = x[:, self._place(cycles.counter), :]
            # A window of n rows holds n - 1 steps of the counter.
            seconds = (count.shape[0] - 1) / self.rate_hz
            counted = (count[-1] - count[0]) * 60.0 / seconds if seconds else counted
            counted = np.where(poling.all(axis=0), counted, np.nan)
        mean_rate = _mean_where(rate, poling)
        return [
            mean_rate,
            counted,
            *contact,
            *(level(s.force) for s in sides),
            *impulse,
            *_derived(mean_rate, contact, impulse),
            *(level(name) for name in cycles.beside),
        ]

    def _forces(self, windows: object) -> list[NDArray[np.float64]]:
        """Cycles of forces between thresholds, and the rate by another way."""
        cycles, backend = self.cycles, self.job.backend
        assert isinstance(cycles, Forces)  # told apart by the caller
        xp, x = backend.xp, windows
        force = xp.stack([x[:, self._place(n), :] for n in cycles.sides.values()], axis=1)  # type: ignore[index]
        found = {
            name: np.asarray(backend.to_host(array), dtype=np.float64)
            for name, array in cycle_statistics(
                force, self.rate_hz, cycles.begins, cycles.ends
            ).items()
        }
        enough = (found["cycles"] >= _FEWEST_CYCLES).all(axis=0)
        if cycles.rate is None:
            again = backend.to_host(autocorrelation_rate(force, self.rate_hz, cycles.band_hz))
            other = 60.0 * np.asarray(again).mean(axis=0)
        else:
            own = np.asarray(backend.to_host(x[:, self._place(cycles.rate), :]))  # type: ignore[index]
            other = own.mean(axis=0) * self._factor(cycles.rate, _PER_MINUTE)
        poling = (found["cycles"] > 0).all(axis=0)
        rate = np.where(poling, 60.0 * found["rate"].mean(axis=0), np.nan)
        shown = {name: np.where(poling, found[name], np.nan) for name in found}
        contact, impulse = list(1e3 * shown["contact"]), list(shown["impulse"])
        beside = [np.asarray(backend.to_host(x[:, self._place(n), :])) for n in cycles.beside]  # type: ignore[index]
        return [
            rate,
            np.where(enough, other, np.nan),
            *contact,
            *shown["peak"],
            *impulse,
            *_derived(rate, contact, impulse),
            *(np.where(poling, part.mean(axis=0), np.nan) for part in beside),
        ]


def _mean_where(values: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean over rows where the mask holds and there is a reading; NaN where nowhere."""
    used = mask & np.isfinite(values)
    count = used.sum(axis=0)
    total = np.where(used, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _derived(
    rate: NDArray[np.float64],
    contact: list[NDArray[np.float64]],
    impulse: list[NDArray[np.float64]],
) -> list[NDArray[np.float64]]:
    """Share of a cycle in contact (%), and one side's impulse less the other's of both (%)."""
    share = 100.0 * (contact[0] + contact[1]) / 2 / 1e3 * rate / 60.0
    both = impulse[0] + impulse[1]
    unlike = np.where(both > 0, (impulse[0] - impulse[1]) / np.where(both > 0, both, 1.0), np.nan)
    return [share, 100.0 * unlike]
