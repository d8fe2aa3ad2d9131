"""Where a pool keeps what: its secret, its log, its datasets, the runs that used them.

What is done with it is in `lumipipe.tasks.pool`. The log is the one record of who withdrew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.pool.card import CARD, Card, read_card
from lumipipe.pool.log import entries
from lumipipe.pool.pseudonyms import unit_digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORM = 1
POOL, LOG, RUNS, DATASETS = "pool.json", "log.jsonl", "runs.json", "datasets"
DERIVED, STALE = "derived.json", "stale.json"
MOST_FILES = 100_000
"""Files of a pool where nobody says less: the quota of a project's folder on LUMI (CSC's guide)."""


@dataclass(frozen=True)
class Catalogue:
    """A pool in a folder.

    Parameters
    ----------
    folder : Path
        The folder.
    key : str
        Its secret, from which the digests of units are made.
    most_files : int
        Files that all datasets together may have.
    """

    folder: Path
    key: str
    most_files: int = MOST_FILES

    @classmethod
    def at(cls, folder: Path) -> Catalogue:
        """The pool in a folder.

        Raises
        ------
        InputError
            If there is none; make one with lumipipe pool init.
        """
        try:
            content = json.loads((folder / POOL).read_text(encoding="utf-8"))
            known = {FORM: cls}
            return known[content["lumipipe_pool"]](folder, content["key"], content["most_files"])
        except OSError as error:
            raise InputError(
                str(folder), "is no pool", f"make one: lumipipe pool init {folder}"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            problem = f"is not as a pool has it ({error})"
            raise InputError(str(folder / POOL), problem, "put back a copy") from error

    @property
    def log(self) -> Path:
        """The log of decisions, publications and withdrawals."""
        return self.folder / LOG

    def digest(self, unit: str) -> str:
        """The digest that stands for a unit here."""
        return unit_digest(self.key, unit)

    def withdrawn(self) -> frozenset[str]:
        """Digests of the units that have withdrawn; the log is verified."""
        if not self.log.exists():
            return frozenset()
        return frozenset(line["unit"] for line in entries(self.log) if line["kind"] == "withdrawal")

    def runs(self) -> list[str]:
        """Folders of the runs on data of this pool, in the order of names."""
        path = self.folder / RUNS
        if not path.exists():
            return []
        return sorted(json.loads(path.read_text(encoding="utf-8"))["runs"])

    def cards(self) -> list[tuple[Path, Card]]:
        """Folder and card of each version of each dataset, in the order of names and versions."""
        found = [(path.parent, read_card(path)) for path in self._card_files()]
        return sorted(found, key=lambda item: (item[1].id, item[1].version))

    def _card_files(self) -> Iterator[Path]:
        return (self.folder / DATASETS).glob(f"*/*/{CARD}")

    def newest(self, dataset: str) -> tuple[Path, Card] | None:
        """Folder and card of the newest version of a dataset; None where it is not here."""
        versions = [item for item in self.cards() if item[1].id == dataset]
        return versions[-1] if versions else None
