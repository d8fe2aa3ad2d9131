"""Who has withdrawn from the pool of a request, so that no run brings them back."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumipipe.pool.catalogue import POOL, RUNS, Catalogue
from lumipipe.pool.pseudonyms import digest_set
from lumipipe.store.files import write_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lumipipe.config import Request

STALE = "stale.json"
"""In the folder of a run: what was made with somebody who withdrew since."""


@dataclass(frozen=True)
class Withdrawn:
    """Digests of those who withdrew; of nobody where the request has no pool.

    Parameters
    ----------
    catalogue : Catalogue or None
        The pool of the request.
    digests : frozenset of str
        Who withdrew from it.
    """

    catalogue: Catalogue | None = None
    digests: frozenset[str] = frozenset()

    def holds(self, unit: str) -> bool:
        """Whether a unit has withdrawn."""
        if self.catalogue is None or not self.digests:
            return False
        return self.catalogue.digest(unit) in self.digests

    def lineage(self, units: Iterable[str]) -> dict[str, list[str]]:
        """What the manifest of a dataset says of the units in it: their digests."""
        if self.catalogue is None:
            return {}
        return {"units": digest_set(self.catalogue.key, units)}

    def register(self, run: Path) -> None:
        """Note in the pool that a run uses its data, so that a withdrawal finds what it made."""
        if self.catalogue is None:
            return
        with (self.catalogue.folder / POOL).open(encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # other runs may begin now
            runs = sorted({*self.catalogue.runs(), str(run.resolve())})
            write_json(self.catalogue.folder / RUNS, {"runs": runs})

    def ingredient(self) -> dict[str, list[str]]:
        """What a dataset depends on, where the request has a pool."""
        return {} if self.catalogue is None else {"withdrawn": sorted(self.digests)}


def withdrawn_from(request: Request, base: Path) -> Withdrawn:
    """Who has withdrawn from the pool that a request names.

    Raises
    ------
    InputError
        If there is no such pool, or its log was changed.
    """
    if request.rights.pool is None:
        return Withdrawn()
    catalogue = Catalogue.at(base / request.rights.pool)
    return Withdrawn(catalogue, catalogue.withdrawn())
