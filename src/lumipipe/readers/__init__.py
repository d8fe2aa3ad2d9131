"""Readers: from instrument files to recordings.

Each format is one module that gives tables (`lumipipe.readers.tables`); `READERS` names
them. `recording` turns tables into recordings with units, time and labels; `grid` brings
recordings to one time grid. What is stored, and how, is `lumipipe.store`'s.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator, Mapping

from lumipipe.readers.salvage import salvaging
from lumipipe.readers.tables import Reader, alone


class _Registry(Mapping[str, Reader]):
    """Readers by format; a module is loaded when its format is asked for."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = dict(modules)

    def __getitem__(self, name: str) -> Reader:
        module = importlib.import_module(f"lumipipe.readers.{self._modules[name]}")
        return Reader(module.Options, salvaging(module), getattr(module, "parts", alone))

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


READERS = _Registry(
    {
        "csv": "delimited",
        "text": "text",
        "npy": "npy",
        "mat5": "mat5",
        "ts": "ts",
        "excel": "excel",
        "fit": "fit",
        "gpx": "gpx",
        "tcx": "tcx",
        "hrm": "hrm",
        "rr": "rr",
        "wfdb": "wfdb",
        "hdf5": "hdf5",
        "ide": "ide",
        "mat73": "mat73",
        "mdf": "mdf",
        "parquet": "parquet",
        "sc2replay": "sc2replay",
        "scope": "scope",
        "tdms": "tdms",
        "uff": "uff",
        "wav": "wav",
        "cwa": "cwa",
        "gt3x": "gt3x",
        "geneactiv": "geneactiv",
        "goldencheetah": "goldencheetah",
        "fitbit": "fitbit",
        "epts": "epts",
        "tracab": "tracab",
    }
)
"""Name of a format to its settings and the function that opens it, from the module named."""

PUBLISHED = "lumipipe"
"""Format of datasets of a pool, which are taken as they are and read by no reader."""
WITHOUT_READER = {
    "awd": "export the counts as a table and read them with csv",
    "fitlog": "export the activity as FIT, TCX or GPX",
    "matrix": "export the readings as a table and read them with csv",
    "slf": "export the activity as FIT, TCX or GPX",
    "sml": "export the activity as FIT, TCX or GPX",
    "srd": "export the exercise as hrm, FIT or TCX",
    "srm": "export the ride as FIT, TCX or goldencheetah",
}
"""Formats that no kept-up library reads, to what their owner can do."""


def remedy_for(name: str) -> str:
    """What to do about a format that has no reader.

    >>> remedy_for("cvs")
    'did you mean csv?'
    """
    if way := WITHOUT_READER.get(name.lower().removeprefix(".")):
        return f"no kept-up library reads it: {way}"
    near = difflib.get_close_matches(name, READERS, n=1, cutoff=0.65)
    return f"did you mean {near[0]}?" if near else f"use one of {', '.join(READERS)}"
