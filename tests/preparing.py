"""Requests and files for tests of `prepare` alone, and the call of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.comm.serial import SerialComm
from lumipipe.config import Request
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.prepare import prepare
from lumipipe.tasks.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.comm.interface import Comm

SMALL = {"chunk_bytes": 1024, "shard_bytes": 4096}
SILENT: Callable[[str], object] = lambda _: None  # noqa: E731


def source(name: str = "log", pattern: str = "raw/*.csv", **more: object) -> dict[str, Any]:
    return {
        "id": name,
        "source": pattern,
        "format": "csv",
        "time": {"kind": "regular", "rate_hz": 100},
        "channels": [
            {"name": "x", "quantity": "acceleration", "unit": "m/s2"},
            {"name": "y", "quantity": "acceleration", "unit": "m/s2"},
        ],
    } | more


def request(*sources: dict[str, Any], **settings: object) -> Request:
    return Request.model_validate(
        {
            "lumipipe_request": 1,
            "id": "test",
            "title": "Test",
            "question": {
                "decision": "none",
                "family": "activity",
                "unit_of_decision": "recording",
                "not_to_be_used_for": ["anything"],
            },
            "data": list(sources or [source()]),
            "rights": {"owner": "nobody", "personal_data": "none"},
            "evaluation": {"split": {"kind": "group"}},
            "prepare": SMALL | settings,
        }
    )


def write_csv(file: Path, rows: int, seed: int = 0, columns: str = "x,y") -> np.ndarray:
    """A file with numbers that its text holds exactly."""
    count = columns.count(",") + 1
    values = np.random.default_rng(seed).integers(-999, 999, size=(rows, count)) / 8
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [columns, *(",".join(f"{v:.4f}" for v in row) for row in values)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return values


def stage_of(out: Path, key: str = "key") -> Stage:
    return Stage("prepare", key, {"code": "digest"}, out / "prepare" / f"{key}.json", "new")


def run(
    asked: Request,
    base: Path,
    out: Path,
    comm: Comm | None = None,
    log: Callable[[str], object] = SILENT,
    key: str = "key",
) -> int:
    """Prepare; another key stands for other contents of files, as the plan tells them apart."""
    return prepare(asked, base, stage_of(out, key), comm or SerialComm(), log)


def only_pieces(out: Path) -> bool:
    """Whether a refused run left no product, only what it had read well."""
    return [path.name for path in out.iterdir()] == ["prepare"] and [
        path.name for path in (out / "prepare").iterdir()
    ] == [".pieces"]


def digest(out: Path, key: str = "key") -> str:
    return read_manifest(stage_of(out, key).manifest, checksums=True).digest


def files(out: Path, key: str = "key") -> dict[str, str]:
    """Each file of the dataset with its SHA-256, read anew."""
    found = read_manifest(stage_of(out, key).manifest, checksums=True).files
    return {name: file.sha256 for name, file in found.items()}
