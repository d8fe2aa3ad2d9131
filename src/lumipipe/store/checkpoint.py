"""Finished sub-trees of a fold on disk, so that a killed run goes on where it was."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lumipipe.store.files import write_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_DIGEST_BYTES = 32


@dataclass
class FolderCheckpoint:
    """A folder with one file a finished node of the merge tree.

    Parameters
    ----------
    folder : Path
        Belongs to one fold alone: its name carries the key of the stage.
    every_s : float
        Least seconds between two saves; 0 saves after each chunk.
    """

    folder: Path
    every_s: float
    _last: float = field(default_factory=time.monotonic)

    def load(self, name: str) -> bytes | None:
        """What was saved under `name`; None where nothing whole was."""
        try:
            content = (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        digest, payload = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        return payload if hashlib.sha256(payload).digest() == digest else None

    def due(self) -> bool:
        """Whether `every_s` have passed since the last save."""
        return time.monotonic() - self._last >= self.every_s

    def save(self, name: str, payload: bytes, replaced: Sequence[str]) -> None:
        """Write the payload whole, then remove the nodes that it replaces."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_bytes(self.folder / name, hashlib.sha256(payload).digest() + payload)
        for old in replaced:
            (self.folder / old).unlink(missing_ok=True)
        self._last = time.monotonic()
