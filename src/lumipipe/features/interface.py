"""What a feature is, and what all features do to windows first.

Which features there are is in `lumipipe.features`; what they compute with is in
`lumipipe.kernels`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from lumipipe import config
    from lumipipe.backend import Array


class Channel(Protocol):
    """What a feature must know of a channel."""

    @property
    def name(self) -> str:
        """Name by which its features are called."""
        ...

    @property
    def scale(self) -> float | None:
        """Typical amplitude known before the data, in the channel's unit."""
        ...


class Feature(Protocol):
    """Numbers that describe a window, without having seen any data."""

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each number."""
        ...

    def __call__(self, windows: Array, rate_hz: float) -> Array:
        """Features, float32 or float64 (window, feature), of windows (time, channel, window)."""
        ...


class FeatureClass(Protocol):
    """A class of features, with its settings."""

    @property
    def Settings(self) -> type[config.Settings]:  # noqa: N802  # a class, nested in the class
        """What a request may set."""
        ...

    def build(
        self,
        channels: tuple[str, ...],
        scales: tuple[float, ...],
        length: int,
        rate_hz: float,
        settings: Any,
        seed: int,
    ) -> Feature:
        """The feature for windows of `length` samples of these channels.

        Parameters
        ----------
        channels : tuple of str
            Names of the channels.
        scales : tuple of float
            Typical amplitude of each channel, in its unit; the channels are divided by them.
        length : int
            Samples of a window.
        rate_hz : float
            Samples per second.
        settings : Settings
            Of the class's own inner class.
        seed : int
            Key of random draws.

        Returns
        -------
        Feature
            Ready for windows of any array library.
        """
        ...


def scaled(windows: Array, scales: tuple[float, ...]) -> Array:
    """Windows (time, channel, window) divided by the scales of their channels; same dtype."""
    xp = array_namespace(windows)
    scale = xp.asarray(list(scales), dtype=windows.dtype, device=device(windows))
    return windows / scale[None, :, None]


def by_window(blocks: list[Array]) -> Array:
    """Blocks (..., window) as one float64 array (window, feature), in their order."""
    xp = array_namespace(blocks[0])
    flat = [
        xp.astype(xp.reshape(block, (math.prod(block.shape[:-1]), block.shape[-1])), xp.float64)
        for block in blocks
    ]
    return xp.matrix_transpose(xp.concat(flat, axis=0))
