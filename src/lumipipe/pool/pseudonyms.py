"""Keyed digests that stand for pseudonyms of persons and names of machines.

A digest without a key would be found by trying all names, so each pool has a secret of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEY_BYTES = 32


def new_key() -> str:
    """A secret for a new pool, as hexadecimal digits."""
    return secrets.token_hex(_KEY_BYTES)


def unit_digest(key: str, unit: str) -> str:
    """The digest that stands for a unit.

    Parameters
    ----------
    key : str
        Secret of the pool.
    unit : str
        Pseudonym of a person, or name of a machine.

    Returns
    -------
    str
        HMAC-SHA-256, 64 hexadecimal digits.

    Examples
    --------
    >>> unit_digest("00", "p1") == unit_digest("00", "p1") != unit_digest("01", "p1")
    True
    """
    return hmac.new(bytes.fromhex(key), unit.encode(), hashlib.sha256).hexdigest()


def digest_set(key: str, units: Iterable[str]) -> list[str]:
    """Sorted digests of units, each once; their order tells nothing of the names."""
    return sorted({unit_digest(key, unit) for unit in units})
