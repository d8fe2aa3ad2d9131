"""What was made from the data of a pool and lies outside its runs: packets, bundles, crates.

Each thing says by digests what it was made of, so that a withdrawal finds all that follows from
what a person was in. Runs, whose products say it in their manifests, are in
`lumipipe.pool.catalogue`.
"""

from __future__ import annotations

import fcntl
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lumipipe.pool.catalogue import DERIVED, POOL
from lumipipe.store.files import write_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lumipipe.pool.catalogue import Catalogue


@dataclass(frozen=True)
class Derived:
    """A thing that was made from data of a pool.

    Parameters
    ----------
    what : str
        Kind of thing, such as packet or bundle.
    digest : str
        Its SHA-256.
    path : str
        Where it was written.
    of : tuple of str
        Digests of what it was made of: products of runs, packets, other things.
    """

    what: str
    digest: str
    path: str
    of: tuple[str, ...]


def register(pool: Catalogue, what: str, digest: str, path: Path, of: Iterable[str]) -> None:
    """Note in a pool that a thing was made from its data, so that a withdrawal names it.

    Parameters
    ----------
    pool : Catalogue
        The pool.
    what : str
        Kind of thing.
    digest : str
        Its SHA-256.
    path : Path
        Where it is.
    of : iterable of str
        Digests of what it was made of: of products as manifests have them, of packets, of other
        things that are registered.
    """
    new = Derived(what, digest, str(path.resolve()), tuple(sorted(set(of))))
    with (pool.folder / POOL).open(encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # others may note theirs now
        known = {_key(item): item for item in derived(pool)} | {_key(new): new}
        content = [asdict(known[key]) for key in sorted(known)]
        write_json(pool.folder / DERIVED, {"derived": content})


def derived(pool: Catalogue) -> list[Derived]:
    """All that was noted, in the order of paths."""
    path = pool.folder / DERIVED
    if not path.exists():
        return []
    content = json.loads(path.read_text(encoding="utf-8"))["derived"]
    return [Derived(**{**item, "of": tuple(item["of"])}) for item in content]


def made_of(things: Iterable[Derived], stale: Iterable[str]) -> list[Derived]:
    """The things that were made, at any remove, of what has one of the digests.

    Examples
    --------
    >>> packet, whole = Derived("packet", "p", "/p", ("model",)), Derived("merged", "w", "/w", "p")
    >>> [item.what for item in made_of([whole, packet], {"model"})]
    ['merged', 'packet']
    """
    things, reached = list(things), set(stale)
    while True:
        found = [item for item in things if reached & set(item.of)]
        new = {item.digest for item in found} - reached
        if not new:
            return found
        reached |= new


def _key(item: Derived) -> tuple[str, str]:
    """What a thing is known by: where it is, and what is in it."""
    return item.path, item.digest
