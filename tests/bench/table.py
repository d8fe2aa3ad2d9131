"""The table of the races as markdown, and on what it was measured."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_info

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.rivals import Outcome

_PACKAGES = ("numpy", "scipy", "scikit-learn", "aeon", "numba", "zarr", "numcodecs")
_HEAD = ("what", "size", "peer", "ours", "peer's", "ratio (range)", "target", "verdict")
_HEAD += ("limit", "of the limit", "answers differ by")


def markdown(outcomes: Sequence[Outcome]) -> str:
    """Conditions and one row a race; times are medians, the ratio is peer over ours."""
    rows = [_HEAD, tuple("---" for _ in _HEAD), *map(_row, outcomes)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([*_conditions(len(outcomes[0].seconds["ours"])), "", *lines, ""])


def _row(outcome: Outcome) -> tuple[str, ...]:
    """The cells of a race."""
    ratios = outcome.ratios()
    differ = f"{outcome.difference:.1g} of {outcome.against} (allowed {outcome.tolerance:g})"
    return (
        outcome.name,
        outcome.size,
        outcome.peer,
        f"{outcome.median_s('ours') * 1e3:.3g} ms",
        f"{outcome.median_s('peer') * 1e3:.3g} ms",
        f"**{outcome.ratio:.2f}** ({ratios[0]:.2f}–{ratios[-1]:.2f})",
        "–" if outcome.target is None else f"{outcome.target:g}",
        outcome.verdict,
        outcome.limit,
        f"{outcome.fraction:.2f}",
        differ + (f"; {outcome.note}" if outcome.note else ""),
    )


def _conditions(rounds: int) -> list[str]:
    """Machine, versions, date, commit, BLAS and how it was measured, a line each."""
    found = {name: _version(name) for name in _PACKAGES}
    blas = {
        f"{pool['internal_api']} {pool['version']} {pool.get('architecture', '')}, "
        f"{pool['num_threads']} thread(s)"
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    }
    return [
        f"- machine: {_processor()}, {platform.system()} {platform.machine()}",
        f"- Python {platform.python_version()}, "
        + ", ".join(f"{name} {version}" for name, version in found.items()),
        f"- BLAS: {'; '.join(sorted(blas))}",
        f"- {dt.datetime.now(dt.UTC):%Y-%m-%d}, commit {_commit()}",
        f"- {rounds} rounds after a warm-up, ours, peer and limit in turn; medians",
    ]


def _version(package: str) -> str:
    """Version of a package, if it is there."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _processor() -> str:
    """The processor's name and the number of cores."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if _is_linux() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} cores of {names[0]}" if names else platform.processor()


def _is_linux() -> bool:
    """Whether /proc tells of the processor."""
    return Path("/proc/cpuinfo").is_file()


def _commit() -> str:
    """The commit that was measured, and whether files differ from it."""
    asked = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    folder = Path(__file__).parent
    done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
