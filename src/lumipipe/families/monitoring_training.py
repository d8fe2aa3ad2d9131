"""The training of the family `monitoring`: which rows are normal, their models, their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import InputError
from lumipipe.families.interface import Pass
from lumipipe.families.roles import Roles, block_of, roles
from lumipipe.fold import merge_all
from lumipipe.models.monitor import MonitorReducer, contributions, fit_monitor, sampled_rows
from lumipipe.uncertainty.control_limits import empirical_limit, spe_limit, t2_limit
from lumipipe.windows import plan_windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.backend import State
    from lumipipe.families.interface import Block, Job
    from lumipipe.families.monitoring import ModelOfNormal
    from lumipipe.fold import Batch, Leaf, Leaves
    from lumipipe.store.dataset import StreamTable

POOLED = "all"
STATISTICS = ("t2", "spe")
_ROWS_A_CHANNEL = 3  # with fewer, correlations are mostly chance


def columns(settings: ModelOfNormal, table: StreamTable) -> tuple[list[int], list[int]]:
    """Numbers of the channels that are monitored, and of those that are predicted."""
    quality = [i for i, c in enumerate(table.channels) if c.name in settings.quality]
    return [i for i in range(len(table.channels)) if i not in quality], quality


def train_pass(job: Job, stream: str) -> Pass:
    """The pass over the normal and the calibrating rows of a stream."""
    table, settings = job.dataset.streams[stream], job.train.models[stream]
    part, backend = roles(job, table), job.backend
    if not any(span.size for span in part.test):
        raise InputError(
            "evaluation.split",
            f"leaves no row of stream {stream} to test",
            "declare fewer normal rows, or name sources that test",
        )
    inputs, quality = columns(settings, table)
    order = backend.asarray(np.asarray([*inputs, *quality], dtype=np.int64))
    plan = plan_windows(
        [row.unit for row in job.dataset.recordings],
        [
            [s for s in (train, calibrate) if s.size]
            for train, calibrate in zip(part.train, part.calibrate, strict=True)
        ],
        1,
        1,
        job.train.rows_per_chunk,
    )
    reducer = MonitorReducer(backend.xp, len(table.channels), job.train.sample_rows, job.seed)

    def measure(block: Block) -> Mapping[Leaf, Batch]:
        row = block.first_row + block.starts
        role = _leaf_of(part, block.recording, row, job.train.blocks)
        batches: dict[Leaf, Batch] = {}
        for name in sorted(set(role)):
            chosen = np.flatnonzero(role == name)
            x = backend.xp.take(block.rows, backend.asarray(block.starts[chosen]), axis=0)
            batches[name,] = {
                "x": backend.xp.take(x, order, axis=1),
                # The sample must not change when another unit joins or leaves.
                "number": backend.asarray(plan.own_numbers(block.number[chosen])),
            }
        return batches

    return Pass(table, plan, reducer, measure)


def _leaf_of(
    part: Roles, recording: NDArray[np.int64], row: NDArray[np.int64], blocks: int
) -> NDArray[np.object_]:
    """``calibrate`` or the number of the block of each row."""
    block = block_of(part.train, recording, row, blocks)
    names = np.array([f"block {b:03d}" for b in block], dtype=object)
    names[block < 0] = "calibrate"
    return names


def by_model(settings: ModelOfNormal, leaves: Leaves) -> dict[str, dict[Leaf, State]]:
    """Leaves of each model: those of one unit, or all of them."""
    models: dict[str, dict[Leaf, State]] = {}
    for leaf in sorted(leaves):
        key = leaf[0] if settings.one_model_for == "unit" else POOLED
        models.setdefault(key, {})[leaf] = leaves[leaf]
    return models


def fit_one(  # one model from its settings, its place and its leaves
    job: Job,
    settings: ModelOfNormal,
    inputs: int,
    quality: int,
    key: str,
    leaves: Mapping[Leaf, State],
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Model and limits from the leaves of normal and of calibrating rows."""
    reducer = MonitorReducer(job.backend.xp, inputs + quality, job.train.sample_rows, job.seed)
    device = {leaf: job.backend.state_to_device(state) for leaf, state in leaves.items()}
    blocks: dict[str, State] = {}
    for name in sorted({leaf[-1] for leaf in device if leaf[-1] != "calibrate"}):
        blocks[name] = merge_all(reducer, [device[leaf] for leaf in device if leaf[-1] == name])
    calibrate = [device[leaf] for leaf in device if leaf[-1] == "calibrate"]
    normal = merge_all(reducer, list(blocks.values()))
    rows = int(job.backend.to_host(normal["count"]).max(initial=0))
    if rows < _ROWS_A_CHANNEL * inputs:
        raise InputError(
            f"unit {key}",
            f"it has {rows} normal rows for {inputs} channels",
            f"declare at least {_ROWS_A_CHANNEL * inputs} normal rows, or use fewer channels",
        )
    fitted = fit_monitor(normal, settings.kind, inputs, settings.components)
    if calibrate:
        left_out = [contributions(fitted, sampled_rows(merge_all(reducer, calibrate), inputs))]
    else:
        left_out = [
            contributions(
                fit_monitor(
                    merge_all(reducer, [s for n, s in blocks.items() if n != name]),
                    settings.kind,
                    inputs,
                    settings.components,
                ),
                sampled_rows(state, inputs),
            )
            for name, state in blocks.items()
        ]
    seen = contributions(fitted, sampled_rows(normal, inputs))
    host = job.backend.state_to_host(fitted)
    limits = {}
    theory = {
        "t2": t2_limit(rows, settings.components, job.train.alpha),
        "spe": spe_limit(host["residual_eigenvalues"], job.train.alpha),
    }
    for statistic in STATISTICS:
        exact = np.concatenate([job.backend.to_host(part[statistic]) for part in left_out])
        apart = job.scores(f"left out/{statistic}", exact)
        passed = job.scores(f"left out/{statistic} above theory", _ones(exact > theory[statistic]))
        own = job.scores(f"training/{statistic}", job.backend.to_host(seen[statistic]))
        limits[statistic] = {
            "theoretical": theory[statistic],
            "training": empirical_limit(own, job.train.alpha),
            "empirical": empirical_limit(apart, job.train.alpha),
            "left_out_rows": len(apart),
            "above_theoretical": _share(passed > 0),
        }
        limits[statistic]["above_training"] = _share(apart > limits[statistic]["training"])
    return host, {"rows": rows, "limits": _finite(limits), "constant": host["constant"].tolist()}


def _ones(are: NDArray[np.bool_]) -> NDArray[np.float64]:
    """1 where it is so, else 0: numbers that no rounding changes."""
    return are.astype(np.float64)


def _share(above: NDArray[np.bool_]) -> float:
    """Share of rows above a limit; 0 of none."""
    return float(np.mean(above)) if len(above) else 0.0


def _finite(limits: dict[str, dict[str, float]]) -> dict[str, dict[str, float | None]]:
    """Limits with None where too few rows give none, since JSON has no infinity."""
    return {
        statistic: {name: value if np.isfinite(value) else None for name, value in row.items()}
        for statistic, row in limits.items()
    }
