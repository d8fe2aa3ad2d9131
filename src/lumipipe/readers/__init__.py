"""Readers: from instrument files to recordings.

Each format is one module that gives tables (`lumipipe.readers.tables`); `READERS` names
them. `recording` turns tables into recordings with units, time and labels; `grid` brings
recordings to one time grid. What is stored, and how, is `lumipipe.store`'s.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

from lumipipe.readers.tables import Reader, alone


class _Registry(Mapping[str, Reader]):
    """Readers by format; a module is loaded when its format is asked for."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = dict(modules)

    def __getitem__(self, name: str) -> Reader:
        module = importlib.import_module(f"lumipipe.readers.{self._modules[name]}")
        return Reader(module.Options, module.read, getattr(module, "parts", alone))

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
        "scope": "scope",
        "tdms": "tdms",
        "uff": "uff",
        "wav": "wav",
    }
)
"""Name of a format to its settings and the function that opens it, from the module named."""
