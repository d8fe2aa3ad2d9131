"""What a request sets of a regression, and what is refused before any data are read."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator

from lumipipe.config import Fraction, Identifier, PositiveFloat, Settings, Text
from lumipipe.errors import InputError
from lumipipe.features import FEATURES
from lumipipe.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lumipipe.config import Channel, Request
    from lumipipe.store.dataset import ChannelRow

FEWEST_FOLDS = 3
"""One to test, one to choose on, one to fit."""
_NEED_SCALES = {"random_fourier", "polynomial"}


class Regimes(Settings):
    """Regimes of operation, each with its own intervals."""

    channel: Text
    """Channel that tells them apart."""
    edges: Annotated[list[float], Field(min_length=1)]
    """Values between which a regime lies, rising; known before the data."""

    @field_validator("edges")
    @classmethod
    def _rising(cls, value: list[float]) -> list[float]:
        if any(a >= b for a, b in pairwise(value)):
            raise ValueError("the edges do not rise; sort them")
        return value

    @property
    def names(self) -> list[str]:
        """The regimes in words, from the lowest."""
        inner = [
            say("{low:g} ≤ {channel} < {high:g}", low=low, channel=self.channel, high=high)
            for low, high in pairwise(self.edges)
        ]
        return [
            say("{channel} < {edges:g}", channel=self.channel, edges=self.edges[0]),
            *inner,
            say("{channel} ≥ {edges:g}", channel=self.channel, edges=self.edges[-1]),
        ]


class RowsSettings(Settings):
    """What a number is learnt from, and how the folds are made."""

    stream: Identifier = "main"
    """The stream with the inputs."""
    inputs: list[str] = []
    """Channels that predict; all but the targets where empty."""
    log: list[str] = []
    """Inputs that act by their ratio, such as an age: their logarithm is taken."""
    window_rows: Annotated[int, Field(ge=1)] = 1
    """Rows of a window; a row of a table is a window of one row."""
    hop_rows: Annotated[int, Field(ge=1)] = 1
    """Rows from the start of one window to the next."""
    features: Annotated[dict[str, dict[str, Any]], Field(min_length=1)] = {"polynomial": {}}
    """Features by name, each with its own settings."""
    folds: Annotated[int, Field(ge=FEWEST_FOLDS)] = 10
    """Folds of the training rows, in which the model is chosen; of the test where it is dealt."""
    regimes: Regimes | None = None
    """Regimes that have intervals of their own; one for all rows where absent."""
    fold_by: str | None = None
    """`unit`, `recording`, `source` or a label: what of the training rows is left out together;
    blocks of neighbouring rows where absent."""
    sample_rows: Annotated[int, Field(ge=16)] = 4096
    """Rows of each fold that calibrate the interval."""
    guard_alpha: Fraction = 0.01
    """Share of training rows that may lie outside the operating envelope, for each statistic."""
    windows_per_chunk: Annotated[int, Field(ge=1)] = 1024
    """Rows or windows that are computed together."""


class RegressionSettings(RowsSettings):
    """How a number is learnt from rows or windows by ridge regression."""

    penalties: Annotated[list[PositiveFloat], Field(min_length=1)] = [0.01, 0.1, 1, 10, 100, 1000]
    """Ridge penalties to choose from."""


def check_regression(
    request: Request, settings: RowsSettings, targets: Sequence[str], place: str
) -> None:
    """Refuse unknown streams, channels and features, and features of unknown scale."""
    sources = [source for source in request.data if source.stream == settings.stream]
    if not sources:
        names = ", ".join(sorted({source.stream for source in request.data}))
        raise InputError(place, f"train.stream: no stream {settings.stream}", f"use {names}")
    channels = {channel.name: channel for channel in sources[0].channels}
    regimes = [settings.regimes.channel] if settings.regimes is not None else []
    for name in (*settings.inputs, *targets, *regimes):
        if name not in channels:
            raise InputError(place, f"train: no channel {name}", f"use {', '.join(channels)}")
    both = sorted(set(settings.inputs) & set(targets))
    if both:
        raise InputError(
            place, f"train.inputs: {both[0]} is what is predicted", "leave it out of the inputs"
        )
    used = settings.inputs or [name for name in channels if name not in targets]
    for name in settings.log:
        if name not in used or (channels[name].range or (0.0, 0.0))[0] <= 0:
            raise InputError(
                place,
                f"train.log: {name} is no input whose range is above 0",
                "state its range in the data, or leave it as it is",
            )
    _check_features(settings, [channels[name] for name in used], place)


def _check_features(settings: RowsSettings, inputs: Sequence[Channel], place: str) -> None:
    """Refuse unknown features, and those that need scales of channels without one."""
    for name in settings.features:
        if name not in FEATURES:
            raise InputError(
                place, f"train.features: no feature {name}", f"use {', '.join(FEATURES)}"
            )
    needed = any(_needs_scales(name, given) for name, given in settings.features.items())
    for channel in inputs if needed else ():
        if channel.scale is None and channel.range is None:
            raise InputError(
                place,
                f"channel {channel.name} has neither scale nor range, which its features need",
                "state the range in which it is credible, known before the data",
            )


def _needs_scales(name: str, given: Mapping[str, Any]) -> bool:
    """Whether a feature weighs channels against each other; values alone do not."""
    return name in _NEED_SCALES and not (name == "polynomial" and given.get("degree", 1) == 1)


def centre_and_scale(channel: ChannelRow, *, is_log: bool = False) -> tuple[float, float]:
    """Middle and quarter of a channel's range, or 0 and its scale: known before any data."""
    if channel.range is None:
        return 0.0, 1.0 if channel.scale is None else channel.scale
    low, high = channel.range
    if is_log:
        low, high = math.log(low), math.log(high)
    known = None if is_log else channel.scale
    return (low + high) / 2, (high - low) / 4 if known is None else known
