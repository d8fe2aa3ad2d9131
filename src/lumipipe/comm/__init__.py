"""The seam to message passing: a few verbs over bytes, the same for one rank and for thousands.

`serial` is one rank, `threads` lets threads play ranks in tests, `mpi` is the one door to
mpi4py. States travel as plain typed buffers (`pack`, `unpack`); nothing is pickled.
"""

from __future__ import annotations

from lumipipe.comm.interface import Comm
from lumipipe.comm.packing import pack, unpack
from lumipipe.comm.serial import SerialComm

__all__ = ["Comm", "SerialComm", "pack", "unpack", "world"]


def world() -> Comm:
    """The communicator of this process: MPI where a launcher started it, else one rank.

    Returns
    -------
    Comm
        MPI is initialised here and nowhere else, so call it after all work that starts
        processes.
    """
    from lumipipe.comm.launch import is_launched_by_mpi, limited_start

    if not is_launched_by_mpi():
        return SerialComm()
    with limited_start():
        from lumipipe.comm.mpi import MpiComm

    return MpiComm()
