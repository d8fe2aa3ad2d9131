"""Who read what: a line of the log for each stage of a run under terms of use, failed ones too.

A line holds the digests of all recordings that the stage read or had to leave out. One line a
recording would say no more and would make the log, which is verified from its first line on,
a thousand times as long.
"""

from __future__ import annotations

import getpass
import hashlib
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import lumipipe
from lumipipe.pool.catalogue import Catalogue
from lumipipe.pool.log import append
from lumipipe.pool.pseudonyms import unit_digest
from lumipipe.readers.files import find_files
from lumipipe.store.dataset import open_dataset
from lumipipe.store.files import digest_of
from lumipipe.store.manifest import is_published, read_manifest
from lumipipe.tasks.deciding import DECISIONS, has_terms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.stages import Stage

_READS = ("prepare", "train", "score")


@contextmanager
def accounted(loaded: Loaded, stages: dict[str, Stage], verb: str, out: Path) -> Iterator[None]:
    """Log that a stage has read its recordings, however it ends; on rank 0.

    Parameters
    ----------
    loaded : Loaded
        The request; nothing is logged where nobody states terms of use.
    stages : dict of str to Stage
        The plan.
    verb : str
        The stage inside.
    out : Path
        Folder of the run, whose log is used where the request has no pool.

    Raises
    ------
    InputError
        If the log cannot be written: then before the stage begins.
    """
    if verb not in _READS or not has_terms(loaded) or is_published(stages[verb].manifest):
        yield
        return
    log = _Log(loaded, stages, out)
    log.write(verb, "begun")
    try:
        yield
    except BaseException:
        log.write(verb, "failed")
        raise
    log.write(verb, "done")


class _Log:
    """The log of a run's access."""

    def __init__(self, loaded: Loaded, stages: dict[str, Stage], out: Path) -> None:
        pool = loaded.request.rights.pool
        self._catalogue = None if pool is None else Catalogue.at(loaded.base / pool)
        self._path = out / DECISIONS if self._catalogue is None else self._catalogue.log
        self._loaded, self._stages = loaded, stages

    def write(self, verb: str, outcome: str) -> None:
        """Add a line about a stage."""
        request, manifest = self._loaded.request, self._stages[verb].manifest
        self._path.parent.mkdir(parents=True, exist_ok=True)
        entry = {
            "kind": "access",
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "account": self._digest(getpass.getuser()),
            "request": digest_of(request.model_dump(mode="json")),
            "actor": request.rights.actor,
            "purpose": request.rights.purpose,
            "operation": verb,
            "outcome": outcome,
            "output": read_manifest(manifest).digest if outcome == "done" else None,
            "version": lumipipe.__version__,
        }
        append(self._path, entry | self._recordings())

    def _recordings(self) -> dict[str, Any]:
        """Digests of the recordings that are read and that were left out, as far as is known."""
        manifest = self._stages["prepare"].manifest
        if not is_published(manifest):
            return {"files": self._files()}  # what they hold is not known before they are read
        dataset = open_dataset(manifest)
        left_out = {
            item.get("id") or PurePath(item["file"]).name
            for item in dataset.manifest.record["left_out"]
        }
        return {
            "recordings": sorted(self._digest(row.id) for row in dataset.recordings),
            "left_out": sorted(self._digest(name) for name in left_out),
        }

    def _files(self) -> list[str]:
        """Digests of the names of the files that a request is about."""
        request, base = self._loaded.request, self._loaded.base
        found = {file.name for source in request.data for file in find_files(source, base)}
        return sorted(map(self._digest, found))

    def _digest(self, name: str) -> str:
        """What stands for a name: by the pool's secret, or else by that of the run's inputs."""
        if self._catalogue is not None:
            return self._catalogue.digest(name)
        key = hashlib.sha256(self._stages["prepare"].key.encode()).hexdigest()
        return unit_digest(key, name)
