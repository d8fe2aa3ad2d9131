"""Fixtures of the scheduler's tests: Slurm's commands without Slurm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.pretended_slurm import Clock, slurm

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["slurm"]


@pytest.fixture
def clock() -> Clock:
    """A clock that only sleeping moves."""
    return Clock()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder of a run."""
    folder = tmp_path / "a run"
    folder.mkdir()
    return folder
