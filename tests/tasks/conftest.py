"""Fixtures of the verbs' tests: Slurm's commands without Slurm."""

from __future__ import annotations

from scheduler.pretended_slurm import slurm

__all__ = ["slurm"]
