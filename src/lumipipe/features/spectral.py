"""Powers of frequency bands of each window; spectra are in `lumipipe.kernels.spectra`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from array_api_compat import array_namespace, device
from pydantic import Field

from lumipipe import config
from lumipipe.errors import InputError
from lumipipe.features.interface import by_window, scaled
from lumipipe.kernels.spectra import frequencies, welch_sums

if TYPE_CHECKING:
    from lumipipe.backend import Array

_LONGEST_SEGMENT = 256


class SpectralSettings(config.Settings):
    """Which bands."""

    bands: Annotated[int, Field(ge=1)] = 8
    """Number of bands."""
    spacing: Literal["log", "equal"] = "log"
    """Whether bands are equally wide in octaves or in Hz."""
    segment: Annotated[int, Field(ge=4)] | None = None
    """Samples of a segment of the averaged spectrum; at most 256 and the window by default."""
    floor: config.PositiveFloat = 1e-9
    """Added to the power of a band of a scaled channel before its logarithm."""


@dataclass(frozen=True)
class Spectral:
    """Power of bands of Welch's spectrum, as it is and as a share, and the spectrum's centroid.

    Parameters
    ----------
    names : tuple of str
        ``channel:log_power[low-high Hz]``, ``channel:share[low-high Hz]``, ``channel:centroid``.
    scales : tuple of float
        What each channel is divided by first.
    segment : int
        Samples of a segment of Welch's method; neighbours share half.
    edges : tuple of int, length band + 1
        First bin of each band, and the bin after the last.
    floor : float
        Added to the power of a band before its logarithm.
    """

    names: tuple[str, ...]
    scales: tuple[float, ...]
    segment: int
    edges: tuple[int, ...]
    floor: float

    Settings: ClassVar[type[config.Settings]] = SpectralSettings

    @classmethod
    def build(
        cls,
        channels: tuple[str, ...],
        scales: tuple[float, ...],
        length: int,
        rate_hz: float,
        settings: SpectralSettings,
        seed: int,
    ) -> Spectral:
        """The feature for windows of `length` samples; nothing is drawn."""
        del seed
        segment = settings.segment or min(length, _LONGEST_SEGMENT)
        if segment > length or settings.bands > segment // 2:
            raise InputError(
                "features.spectral",
                f"{settings.bands} bands and segments of {segment} samples do not fit a window of "
                f"{length} samples",
                "take fewer bands, shorter segments or longer windows",
            )
        edges = band_edges(segment // 2 + 1, settings.bands, settings.spacing)
        width = rate_hz / segment
        bands = [f"{a * width:.4g}-{b * width:.4g} Hz" for a, b in pairwise(edges)]
        names = [
            f"{c}:{kind}[{b}]" for kind in ("log_power", "share") for b in bands for c in channels
        ]
        names += [f"{channel}:centroid" for channel in channels]
        return cls(tuple(names), scales, segment, edges, settings.floor)

    def __call__(self, windows: Array, rate_hz: float) -> Array:
        """Powers, float64 (window, feature), of windows (time, channel, window)."""
        xp = array_namespace(windows)
        sums = welch_sums(scaled(windows, self.scales), rate_hz, self.segment, self.segment // 2)
        width = rate_hz / self.segment
        power = sums["power"] / xp.astype(sums["count"], xp.float64) * width
        bands = [xp.sum(power[first:stop, ...], axis=0) for first, stop in pairwise(self.edges)]
        band = xp.stack(bands, axis=0)
        total = xp.sum(band, axis=0)
        silent = total == 0.0  # then shares and centroid are 0
        weight = xp.where(silent, total, 1.0 / xp.where(silent, xp.ones_like(total), total))
        bins = frequencies(xp, device(windows), self.segment, rate_hz)[1:, None, None]
        centroid = xp.sum(bins * power[1:, ...], axis=0) * weight
        return by_window([xp.log(band + self.floor), band * weight, centroid])


def band_edges(bins: int, bands: int, spacing: str) -> tuple[int, ...]:
    """First bin of each band from bin 1 on, and `bins`; each band has one bin at least.

    Parameters
    ----------
    bins : int
        Bins of the spectrum, bin 0 included.
    bands : int
        Number of bands, at most bins - 1.
    spacing : {"log", "equal"}
        Equal ratios or equal widths, as far as whole bins allow.

    Returns
    -------
    tuple of int, length bands + 1
        Rising from 1 to `bins`.

    Examples
    --------
    >>> band_edges(33, 4, "log")
    (1, 2, 6, 14, 33)
    """
    edges = [1]
    for band in range(1, bands):
        share = band / bands
        ideal = bins**share if spacing == "log" else 1 + (bins - 1) * share
        room = bins - (bands - band)
        edges.append(min(max(round(ideal), edges[-1] + 1), room))
    return (*edges, bins)
