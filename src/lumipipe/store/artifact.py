"""Models and tables as files: arrays in NumPy's own format, JSON, Parquet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.store.files import write_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], card: dict[str, Any]) -> None:
    """Write named arrays as ``path.npz`` and what they mean as ``path.json``.

    Equal content gives equal bytes: members of an ``.npz`` carry no time.
    """
    with path.with_suffix(".npz").open("wb") as file:
        plain = {name: np.asarray(arrays[name], order="C") for name in sorted(arrays)}
        np.savez(file, allow_pickle=False, **plain)
    write_json(path.with_suffix(".json"), card)


def read_arrays(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Named arrays and their card, as `write_arrays` wrote them; nothing is unpickled."""
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as content:
        arrays = {name: content[name] for name in content.files}
    card: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return arrays, card


def write_table(path: Path, columns: Mapping[str, np.ndarray]) -> None:
    """Write columns of equal length as Parquet; columns with a second axis become several."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    flat: dict[str, pa.Array] = {}
    for name, values in columns.items():
        if values.ndim == 1:
            flat[name] = pa.array(values.tolist() if values.dtype == object else values)
            continue
        for part in range(values.shape[1]):
            flat[f"{name}_{part}"] = pa.array(values[:, part])
    pq.write_table(pa.table(flat), path, compression="zstd")
