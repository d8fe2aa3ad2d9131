"""How long reading a file may take, from its format, name and size: for sharing out work only.

No number of a result depends on this. What a run is billed is not estimated here.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import NamedTuple

# Seconds that a file takes whatever its size, and bytes a second. Measured in November 2026 by
# one thread on one core of a shared x86-64 machine, files in the page cache: 100 and 400,000 rows
# of four float64 numbers (as text with six decimals; `ts`: 400 series of 1,000 rows of two;
# `uff`: 100,000 rows of text; `wav`: 16 bits; `ide`: files of a recorder; `scope`: one channel).
# Other machines are faster or slower; the ratios between formats, which decide who reads what,
# move less.
_RATES = {
    "csv": (2.4e-3, 5.7e6),
    "text": (0.5e-3, 36e6),
    "ts": (0.5e-3, 19e6),
    "npy": (0.7e-3, 360e6),
    "mat5": (0.9e-3, 370e6),
    "excel": (0.5, 3.0e6),  # bytes of a workbook are compressed; a process for each file
    # These on real files, of up to 10,686 records or points, and half an hour of an ECG.
    "fit": (0.7e-3, 0.26e6),
    "gpx": (0.7e-3, 3.3e6),
    "tcx": (0.5e-3, 7.2e6),
    "hrm": (0.5e-3, 2.4e6),
    "rr": (0.5e-3, 2.4e6),
    "wfdb": (50e-3, 1.0e6),  # what counts is in other files than the header
    "hdf5": (2.5e-3, 4000e6),
    "ide": (1.9e-3, 20e6),
    "mat73": (2.8e-3, 6000e6),
    "mdf": (1.1, 145e6),  # a process for each file
    "parquet": (0.5e-3, 1600e6),
    "scope": (76e-3, 68e6),
    "tdms": (0.7e-3, 3600e6),
    "uff": (1.8e-3, 31e6),
    "wav": (0.1e-3, 4400e6),
    # Seconds of the processor, with a process for each file: 10 MB of 100 Hz, half an hour.
    "cwa": (0.78, 36e6),
    "gt3x": (0.6, 0.3e6),
    # Two thousand pages, 80,000 samples, 86,400 readings, 40,000 frames of three players, and a
    # real file of 22 players.
    "geneactiv": (0.8e-3, 33e6),
    "goldencheetah": (0.5e-3, 7.8e6),
    "fitbit": (0.5e-3, 1.9e6),
    "tracab": (50e-3, 0.21e6),
    "sc2replay": (1.8, 0.25e6),  # a process for each file
    "epts": (50e-3, 1.0e6),
}
_SLOWEST = (max(first for first, _ in _RATES.values()), min(rate for _, rate in _RATES.values()))
# Typical of numbers as text: 2.3 and 3.1 were measured for digits that are noise to the last.
_EXPANSION = {".gz": 3, ".xz": 4}
_GRID = (0.5e-3, 23e6)  # measured likewise: two channels of 100 Hz, with stamps, to 50 Hz


class Cost(NamedTuple):
    """Estimated bytes in memory and seconds of reading."""

    bytes: int
    seconds: float


def reading_cost(source_format: str, name: str, size: int) -> Cost:
    """What reading one file takes.

    Parameters
    ----------
    source_format : str
        A name from the registry of readers; one without a measurement counts as the slowest.
    name : str
        Name of the file; .gz and .xz say that it is compressed.
    size : int
        Its size in bytes.

    Returns
    -------
    Cost
        Bytes that are unpacked, and the time at the measured rate of the format.

    Examples
    --------
    >>> reading_cost("csv", "a.csv.gz", 1_900_000)
    Cost(bytes=5700000, seconds=1.0024)
    """
    unpacked = size * _EXPANSION.get(PurePath(name).suffix.lower(), 1)
    opening_s, rate = _RATES.get(source_format, _SLOWEST)
    return Cost(unpacked, opening_s + unpacked / rate)


def gridding_cost(size: int) -> Cost:
    """What bringing `size` bytes of samples to a grid takes."""
    opening_s, rate = _GRID
    return Cost(size, opening_s + size / rate)
