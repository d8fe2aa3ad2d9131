"""What ranks find each by itself, put together; and a folder that they share for a while.

All functions but `started_ranks` and `end_all` are collective: every rank calls them in one
order.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from lumipipe.store.files import remove_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lumipipe.comm import Comm


_TO_BE_HEARD_S = 0.5  # a launcher may drop what a rank says right before it ends all ranks
Gave = TypeVar("Gave")
# One variable that each launcher sets to the number of ranks it started.
_STARTED = ("SLURM_STEP_NUM_TASKS", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE")


class FoundWrongError(RuntimeError):
    """Something does not work here; raised on all ranks, whichever found it."""


def started_ranks() -> int:
    """Number of ranks that the launcher of this process started; 1 without a launcher."""
    return next((int(os.environ[name]) for name in _STARTED if name in os.environ), 1)


def end_all(comm: Comm, code: int, line: str, say: Callable[[str], None] | None = None) -> None:
    """Say a last line, on the terminal or by `say`; end all ranks, whatever they are doing."""
    if comm.rank:
        time.sleep(2 * _TO_BE_HEARD_S)  # if rank 0 says the same, it ends this one before
    if say is None:
        print(line, flush=True)
    else:
        say(line)
    if comm.size > 1:
        time.sleep(_TO_BE_HEARD_S)
    comm.abort(code)


def everywhere(comm: Comm, work: Callable[[], Gave]) -> list[Gave]:
    """What `work` gave on each rank, on all ranks.

    Parameters
    ----------
    comm : Comm
        All ranks.
    work : callable
        Gives what JSON gives back as it was.

    Returns
    -------
    list
        In the order of ranks.

    Raises
    ------
    FoundWrongError
        On all ranks where it raised on one, naming the first.
    """
    row: dict[str, Any]
    try:
        row = {"gave": work()}
    except Exception as error:  # noqa: BLE001  # the others are waiting; they must hear of it
        row = {"error": str(error) or repr(error)}
    parts = comm.gather(json.dumps(row).encode())
    together = comm.broadcast(json.dumps([json.loads(part) for part in parts]).encode())
    rows = json.loads(together)
    wrong = [number for number, each in enumerate(rows) if "error" in each]
    if wrong:
        others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        text = " ".join(rows[wrong[0]]["error"].split())
        raise FoundWrongError(f"rank {wrong[0]}{others}: {text}")
    return [each["gave"] for each in rows]


def on_first(comm: Comm, work: Callable[[], Gave]) -> Gave:
    """What `work` gave on rank 0, on all ranks; it is called there only."""
    return cast(Gave, everywhere(comm, lambda: work() if comm.rank == 0 else None)[0])


@contextmanager
def shared_folder(comm: Comm, parent: Path, name: str) -> Iterator[Path]:
    """A new folder for all ranks, removed at the end.

    Parameters
    ----------
    comm : Comm
        All ranks.
    parent : Path
        Where it is made.
    name : str
        How its name begins.
    """
    folder = Path(on_first(comm, lambda: tempfile.mkdtemp(prefix=f"{name}-", dir=parent.resolve())))
    try:
        yield folder
    finally:
        comm.barrier()
        if comm.rank == 0:
            remove_tree(folder)
