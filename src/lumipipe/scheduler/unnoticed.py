"""Jobs whose end was not noticed by the one who waits for them.

Snakemake's Slurm plugin (2.8.0) drops a job from its list when the controller is silent during
one of its looks, and waits for ever for a job that the controller has forgotten (MinJobAge).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumipipe.scheduler.inventory import jobs_of_run
from lumipipe.scheduler.queue import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass
class Watch:
    """Looks from time to time whether all jobs of a run have ended, and for how long.

    Parameters
    ----------
    out : Path
        Folder of the run.
    clock : callable
        Seconds since some moment.
    """

    out: Path
    clock: Callable[[], float] = time.monotonic
    _ended: tuple[str, ...] = ()
    _since: float = 0.0

    def idle_s(self) -> float:
        """Seconds since the first look that showed what this one shows: that all have ended.

        Returns
        -------
        float
            0 while a job lives, may live, or nothing was ever submitted.
        """
        found = jobs_of_run(self.out)
        all_ended = all(job.state is State.ENDED for job in found)
        ended = tuple(job.id for job in found) if all_ended else ()
        if not ended or ended != self._ended:
            self._ended, self._since = ended, self.clock()
        return self.clock() - self._since if ended else 0.0
