"""Readers: from instrument files to recordings.

Each format is one module that gives tables (`lumipipe.readers.tables`); `READERS` names
them. `recording` turns tables into recordings with units, time and labels; `grid` brings
recordings to one time grid. What is stored, and how, is `lumipipe.store`'s.
"""

from __future__ import annotations

from lumipipe.readers import delimited, mat5, npy, text, ts
from lumipipe.readers.tables import Reader

READERS: dict[str, Reader] = {
    "csv": Reader(delimited.Options, delimited.read),
    "text": Reader(text.Options, text.read),
    "npy": Reader(npy.Options, npy.read),
    "mat5": Reader(mat5.Options, mat5.read),
    "ts": Reader(ts.Options, ts.read),
}
"""Name of a format to its settings and the function that opens it."""
