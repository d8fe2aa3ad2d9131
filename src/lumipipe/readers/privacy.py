"""What of a person leaves a reader: no position, no name, and no serial number as it stands.

The readers of activity files take names, notes and profiles from a file into no table. What they
do take and who asks for it is decided here.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from lumipipe.config import Identifier  # noqa: TC001 (Pydantic reads it at run time)
from lumipipe.errors import InputError
from lumipipe.readers.tables import ReaderOptions

KEY, KEY_FILE = "LUMIPIPE_PSEUDONYM_KEY", "LUMIPIPE_PSEUDONYM_KEY_FILE"
_LEAST_KEY_BYTES = 16
_DIGITS = 20  # 80 bits: two of a million devices are alike with a chance of 4e-13
POSITIONS_KEPT = {"positions": "kept in the reader"}
"""Attribute of a recording whose file tells where somebody was, which nobody asked for."""
_PLACES = ("lat", "lon", "gps", "position", "coordinate", "geo")


class PseudonymOptions(ReaderOptions):
    """Keys of files that say which device, or whom, they come from."""

    pseudonyms: Identifier | None = None
    """Name of the secret key under which serial numbers become the attribute `device`. The key
    itself is in the environment, LUMIPIPE_PSEUDONYM_KEY or a file that
    LUMIPIPE_PSEUDONYM_KEY_FILE names; give a new key a new name."""


class PersonalOptions(PseudonymOptions):
    """Keys of files that come from people."""

    positions: bool = False
    """Whether latitude and longitude may leave the reader, as columns in degrees; then with
    `hide_ends_m`."""
    hide_ends_m: Annotated[float, Field(ge=0)] | None = None
    """Metres by which the places where an activity began and ended lie inside a zone whose
    positions do not leave; its centre and radius are secret, under the key `pseudonyms`. 0 says
    that anybody may see where it began."""
    cut_start_s: Annotated[float, Field(ge=0)] = 0.0
    """Seconds that are removed at the start of each activity."""
    cut_end_s: Annotated[float, Field(ge=0)] = 0.0
    """Seconds that are removed at the end of each activity."""

    @model_validator(mode="after")
    def _says_how_ends_are_hidden(self) -> PersonalOptions:
        if self.positions and self.hide_ends_m is None:
            raise ValueError(
                "positions: true shows where activities began; say hide_ends_m: 200 (metres), or "
                "0 where anybody may see it"
            )
        if self.hide_ends_m is not None and not self.positions:
            raise ValueError("hide_ends_m is for positions, which stay inside; remove it")
        if self.hide_ends_m and self.pseudonyms is None:
            raise ValueError("hide_ends_m needs a secret key; name one in pseudonyms")
        return self


def pseudonym(value: str, name: str) -> str:
    """A stand-in for an identity, the same each time, that only the key leads back to.

    Parameters
    ----------
    value : str
        A serial number or a person's name.
    name : str
        Name of the key: one key under two names gives pseudonyms that cannot be joined.

    Returns
    -------
    str
        20 hexadecimal digits.

    Raises
    ------
    InputError
        If there is no key of 16 bytes or more: set the environment variable.

    Notes
    -----
    *Method*: HMAC with SHA-256 [1]_ over the key's name and the value, cut to 80 bits. Without
    the key a serial number cannot be found by trying all of them.

    References
    ----------
    .. [1] Krawczyk, Bellare and Canetti, HMAC: keyed-hashing for message authentication,
       RFC 2104, 1997.
    """
    return _digest(value, name).hex()[:_DIGITS]


def secret_draws(value: str, name: str) -> tuple[float, float, float]:
    """Three numbers, 0 to below 1, that follow from a text and a key, and tell neither.

    Parameters
    ----------
    value : str
        What they are for.
    name : str
        Name of the key, as in `pseudonym`.

    Returns
    -------
    tuple of three float
        Multiples of 2⁻⁵³.

    Raises
    ------
    InputError
        If there is no key of 16 bytes or more: set the environment variable.
    """
    words = struct.unpack("<4Q", _digest(value, name))
    first, second, third = ((word >> 11) * 2.0**-53 for word in words[:3])
    return first, second, third


def _digest(value: str, name: str) -> bytes:
    """HMAC of a value under a named key; 32 bytes."""
    return hmac.new(_key(name), f"{name}\0{value}".encode(), hashlib.sha256).digest()


def is_place(name: str) -> bool:
    """Whether the name of a field sounds like a position on Earth.

    >>> is_place("start_position_lat"), is_place("Longitude"), is_place("platform")
    (True, True, False)
    """
    words = name.lower().replace("-", "_").replace(" ", "_").split("_")
    return any(word.startswith(place) for word in words for place in _PLACES)


def _key(name: str) -> bytes:
    """The secret key; its value is in no message."""
    text = os.environ.get(KEY, "")
    if not text and (path := os.environ.get(KEY_FILE)):
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(KEY_FILE, "names a file that cannot be read", "mend it") from error
    key = text.encode()
    if len(key) < _LEAST_KEY_BYTES:
        raise InputError(
            f"read.pseudonyms: {name}",
            f"there is no secret key of {_LEAST_KEY_BYTES} bytes or more"
            if not key
            else f"the secret key has {len(key)} bytes",
            f"set {KEY}, or {KEY_FILE} to a file beside no data; never write it into the request",
        )
    return key
