"""Windows in, features out: what describes a window, without having seen any data.

One file a feature; the numbers are computed by `lumipipe.kernels`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace
from pydantic import ValidationError

from lumipipe.errors import InputError
from lumipipe.features.convolution import RandomConvolution
from lumipipe.features.envelope import Envelope
from lumipipe.features.fourier import RandomFourier
from lumipipe.features.lags import Lags
from lumipipe.features.poling import Poling
from lumipipe.features.polynomial import Polynomial
from lumipipe.features.ratios import Ratios
from lumipipe.features.slopes import Slopes
from lumipipe.features.spectral import Spectral
from lumipipe.features.statistics import Statistics
from lumipipe.features.trend import Trend

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lumipipe.backend import Array
    from lumipipe.features.interface import Channel, Feature, FeatureClass

FEATURES: dict[str, FeatureClass] = {
    "statistics": Statistics,
    "random_convolution": RandomConvolution,
    "spectral": Spectral,
    "envelope": Envelope,
    "random_fourier": RandomFourier,
    "polynomial": Polynomial,
    "lags": Lags,
    "slopes": Slopes,
    "trend": Trend,
    "ratios": Ratios,
    "poling": Poling,
}

__all__ = ["FEATURES", "build_features", "measure_features"]


def build_features(
    requested: Mapping[str, Mapping[str, Any]],
    channels: Sequence[Channel],
    length: int,
    rate_hz: float,
    seed: int,
) -> list[Feature]:
    """The features that a request asks for.

    Parameters
    ----------
    requested : mapping of str to mapping
        Settings of each feature by its name in `FEATURES`; empty for the defaults.
    channels : sequence of Channel
        Names and scales; a channel without a scale is taken as it is.
    length : int
        Samples of a window.
    rate_hz : float
        Samples per second.
    seed : int
        Key of random draws.

    Returns
    -------
    list of Feature
        In the order of the request.

    Raises
    ------
    InputError
        If a name or a setting is not known, or does not fit the windows; the line says what to
        change.
    """
    names = tuple(channel.name for channel in channels)
    scales = tuple(1.0 if channel.scale is None else channel.scale for channel in channels)
    built = []
    for name, given in requested.items():
        if name not in FEATURES:
            raise InputError(f"features.{name}", "no such feature", f"use {', '.join(FEATURES)}")
        feature = FEATURES[name]
        settings = _settings(name, feature, given)
        built.append(feature.build(names, scales, length, rate_hz, settings, seed))
    return built


def measure_features(features: Sequence[Feature], windows: Array, rate_hz: float) -> Array:
    """All features side by side.

    Parameters
    ----------
    features : sequence of Feature
        From `build_features`; at least one.
    windows : array of float32 or float64, shape (time, channel, window)
        Windows of the length that the features were built for.
    rate_hz : float
        Samples per second.

    Returns
    -------
    array, shape (window, feature)
        Columns in the order of the features' names; float32 where all features are.
    """
    xp = array_namespace(windows)
    return xp.concat([feature(windows, rate_hz) for feature in features], axis=1)


def _settings(name: str, feature: FeatureClass, given: Mapping[str, Any]) -> Any:
    """The settings of a feature, checked."""
    try:
        return feature.Settings.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(["features", name, *(str(part) for part in first["loc"])])
        known = ", ".join(feature.Settings.model_fields)
        raise InputError(place, first["msg"], f"known settings: {known}") from error
