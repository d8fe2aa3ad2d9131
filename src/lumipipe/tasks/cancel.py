"""The verb ``cancel``: end a run, its head process and all of its jobs; safe to repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.scheduler.cancelling import CANCELLING, cancel_run
from lumipipe.tasks.status import check_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.scheduler.asking import Patience


def cancel(out: Path, log: Callable[[str], None], patience: Patience = CANCELLING) -> int:
    """End a run: what is finished stays, and the run can be taken up again.

    Parameters
    ----------
    out : Path
        Folder of the run.
    log : callable of str
        Is told what was done, and what is still alive.
    patience : Patience
        Time limits, attempts and pauses.

    Returns
    -------
    int
        0 when nothing is alive any more; 1 when something is, or Slurm did not answer.

    Raises
    ------
    InputError
        If the folder is not that of a run.
    """
    check_folder(out)
    return cancel_run(out, log, patience)
