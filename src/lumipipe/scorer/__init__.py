"""Scoring new rows with a model bundle, by NumPy alone.

`lumipipe.tasks.bundle` copies this package into each bundle, with all that it imports, so that the
code that computed the answer of a run computes in the bundle, too. So nothing here, and nothing
that is imported here, needs more than NumPy and the standard library; for what the copied modules
import beside that, `lumipipe.scorer.standins` has stand-ins.
"""

from __future__ import annotations

from lumipipe.scorer.bundle import Bundle, Scored

__all__ = ["Bundle", "Scored"]
