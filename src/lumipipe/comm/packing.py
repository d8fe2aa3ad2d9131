"""Named arrays as one buffer of bytes, and back.

The buffer is a JSON header (names, types, shapes) and then the arrays' own bytes, each on a
64-byte boundary. It is what ranks exchange, what a checkpoint file holds, and what a digest
is taken of.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALIGNMENT = 64
_LENGTH_BYTES = 8


def pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Named arrays as one buffer.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Numbers of any shape and any fixed-size type; no objects.

    Returns
    -------
    bytes
        Equal arrays in equal order give equal bytes on every machine of one byte order.

    Examples
    --------
    >>> buffer = pack({"count": np.asarray(3)})
    >>> int(unpack(buffer)["count"])
    3
    """
    table = [[name, a.dtype.str, list(a.shape)] for name, a in arrays.items()]
    header = json.dumps(table).encode()
    parts: list[Any] = [len(header).to_bytes(_LENGTH_BYTES, "little"), header]
    length = _LENGTH_BYTES + len(header)
    for array in arrays.values():
        padding = -length % _ALIGNMENT
        parts += [b"\0" * padding, np.ascontiguousarray(array).reshape(-1).view(np.uint8)]
        length += padding + array.nbytes
    return b"".join(parts)


def unpack(buffer: bytes | bytearray) -> dict[str, np.ndarray]:
    """The named arrays in a buffer of `pack`.

    Parameters
    ----------
    buffer : bytes or bytearray
        What `pack` returned.

    Returns
    -------
    dict of str to ndarray
        Views of the buffer, in the order in which they were packed.

    Raises
    ------
    ValueError
        If the buffer is cut short or is no such buffer.
    """
    end = _LENGTH_BYTES + int.from_bytes(buffer[:_LENGTH_BYTES], "little")
    table = json.loads(buffer[_LENGTH_BYTES:end])
    arrays: dict[str, np.ndarray] = {}
    for name, code, shape in table:
        start = end + -end % _ALIGNMENT
        dtype = np.dtype(code)
        count = int(np.prod(shape, dtype=np.int64))
        end = start + count * dtype.itemsize
        if end > len(buffer):
            raise ValueError(f"the buffer ends at byte {len(buffer)}, before array {name}")
        arrays[name] = np.frombuffer(buffer, dtype, count, start).reshape(shape)
    return arrays
