"""A rank of the contract test: messages are cut far below their size."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "comm"))

from contract import check_all

from lumipipe.comm.mpi import MpiComm

for limit in (1024, 2**20):
    print(check_all(MpiComm(message_bytes=limit)), flush=True)
