"""Statistics of each window: the feature; the formulae are in `lumipipe.kernels.statistics`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, ClassVar

from array_api_compat import array_namespace

from lumipipe import config
from lumipipe.features.interface import by_window, scaled
from lumipipe.kernels import statistics as kernel

if TYPE_CHECKING:
    from lumipipe.backend import Array

_PROBABILITIES = (0.1, 0.25, 0.5, 0.75, 0.9)
_OF_CHANNELS = (
    "mean",
    "sd",
    "log_sd",
    "min",
    "max",
    *(f"q{round(100 * probability)}" for probability in _PROBABILITIES),
    "mean_abs_diff",
    "rms",
    "skewness",
    "kurtosis",
    "crest",
)


class StatisticsSettings(config.Settings):
    """How windows are summed up."""

    log_floor: config.PositiveFloat = 1e-3
    """Added to the standard deviation of a scaled channel before its logarithm."""


@dataclass(frozen=True)
class Statistics:
    """Statistics of each channel over a window, and correlations of pairs of channels.

    Parameters
    ----------
    names : tuple of str
        ``channel:statistic``, statistic by statistic, then ``channel~channel:correlation``.
    scales : tuple of float
        What each channel is divided by first.
    log_floor : float
        Added to the standard deviation before its logarithm.
    """

    names: tuple[str, ...]
    scales: tuple[float, ...]
    log_floor: float

    Settings: ClassVar[type[config.Settings]] = StatisticsSettings

    @classmethod
    def build(
        cls,
        channels: tuple[str, ...],
        scales: tuple[float, ...],
        length: int,
        rate_hz: float,
        settings: StatisticsSettings,
        seed: int,
    ) -> Statistics:
        """The feature for windows of these channels; nothing is drawn."""
        del length, rate_hz, seed
        single = [f"{channel}:{name}" for name in _OF_CHANNELS for channel in channels]
        pairs = [f"{a}~{b}:correlation" for a, b in combinations(channels, 2)]
        return cls((*single, *pairs), scales, settings.log_floor)

    def __call__(self, windows: Array, rate_hz: float) -> Array:
        """Statistics, float64 (window, feature), of windows (time, channel, window)."""
        del rate_hz
        xp = array_namespace(windows)
        x = scaled(windows, self.scales)
        deviations = kernel.centred(x)
        sd = kernel.standard_deviation(deviations)
        return by_window(
            [
                kernel.mean(x),
                sd,
                xp.log(sd + self.log_floor),
                kernel.minimum(x),
                kernel.maximum(x),
                kernel.quantiles(x, _PROBABILITIES),
                kernel.mean_absolute_difference(x),
                kernel.root_mean_square(x),
                kernel.skewness(deviations),
                kernel.kurtosis(deviations),
                kernel.crest_factor(x),
                kernel.correlations(deviations),
            ]
        )
