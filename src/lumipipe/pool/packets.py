"""Statistics packets: the merged training states of sites that may not share their data.

A packet holds the states of each site, which stand for all of its units together; none for a
person. Packets are merged by laying the sites of all side by side, sorted by name: so the bytes do
not depend on the order in which they come, and a site that leaves takes its states with it. The
states themselves are merged when a model is fitted. Once a site has the sums of all it can add the
scores that its own rows get from models that have not seen them: whole numbers of a coarse grid, in
no order of rows. What may cross the border is in `lumipipe.pool.border`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.comm import pack, unpack
from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORM = 2
SCORES = "score:"
"""Prefix of the arrays with the scores of a site, by the threshold that they set."""
_MAGIC = b"lumipipe packet\n"
_DIGEST_BYTES = 32
_HEADER = "header"


@dataclass(frozen=True)
class Site:
    """The state of one site, and what is said of it.

    Parameters
    ----------
    name : str
        The site.
    units : int
        Machines or persons that the state stands for.
    rows : int
        Windows or rows that it was summed over.
    fewest : int
        Fewest units that the site lets a state stand for.
    personal_data : str
        ``none``, ``pseudonymous`` or ``personal``: what the rows were.
    noise : str
        Noise that was added to the state, ``none`` where it is exact.
    policies : tuple of str
        Terms of use that hold for what is made from it.
    calibrated_on : str
        `Packet.sums_digest` of the sums that its scores are of; empty where it has none.
    state : dict of str to ndarray
        Sums under a JSON list of pass, name of leaf and array, from `state_of`; and scores.
    """

    name: str
    units: int
    rows: int
    fewest: int
    personal_data: str
    noise: str
    policies: tuple[str, ...]
    calibrated_on: str
    state: dict[str, np.ndarray] = field(repr=False)

    def said(self) -> dict[str, Any]:
        """All but the state, as plain values."""
        return {name: value for name, value in asdict(self).items() if name != "state"}

    @property
    def scores(self) -> dict[str, np.ndarray]:
        """Scores by the threshold that they set, as places on the grid."""
        return {
            name.removeprefix(SCORES): array
            for name, array in self.state.items()
            if name.startswith(SCORES)
        }

    @property
    def parts(self) -> dict[str, dict[tuple[str, ...], dict[str, np.ndarray]]]:
        """The states by pass and name of leaf."""
        found: dict[str, dict[tuple[str, ...], dict[str, np.ndarray]]] = {}
        for key, array in self.state.items():
            if not key.startswith(SCORES):
                name, *leaf, last = json.loads(key)
                found.setdefault(name, {}).setdefault(tuple(leaf), {})[last] = array
        return found


@dataclass(frozen=True)
class Packet:
    """States of sites, of one model.

    Parameters
    ----------
    schema : dict
        What the sites agree in: family, settings, channels with units, classes.
    sites : tuple of Site
        Sorted by name.
    """

    schema: dict[str, Any]
    sites: tuple[Site, ...]

    @property
    def content(self) -> bytes:
        """The packet as the bytes of a file; equal packets have equal bytes."""
        header = {
            "form": FORM,
            "schema": self.schema,
            "sites": [site.said() for site in self.sites],
        }
        # Not sorted: features come in the order of their names in the request.
        text = json.dumps(header, ensure_ascii=False).encode()
        arrays = {_HEADER: np.frombuffer(text, dtype=np.uint8)}
        for number, site in enumerate(self.sites):
            arrays |= {f"{number}/{name}": site.state[name] for name in sorted(site.state)}
        payload = pack(arrays)
        return _MAGIC + hashlib.sha256(payload).digest() + payload

    @property
    def sums_digest(self) -> str:
        """SHA-256 of the sums of all sites, whatever scores there are."""
        found = hashlib.sha256(json.dumps(self.schema).encode())
        for site in self.sites:
            sums = {n: a for n, a in site.state.items() if not n.startswith(SCORES)}
            found.update(site.name.encode() + pack(dict(sorted(sums.items()))))
        return found.hexdigest()

    @property
    def digests_of_sites(self) -> list[str]:
        """SHA-256 of the packet of each site alone, whatever it has been merged with."""
        return [Packet(self.schema, (site,)).digest for site in self.sites]

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.content).hexdigest()


def packet_from(content: bytes, place: str) -> Packet:
    """The packet in the bytes of a file.

    Parameters
    ----------
    content : bytes
        What `Packet.content` gave.
    place : str
        The file, for messages.

    Returns
    -------
    Packet
        The packet.

    Raises
    ------
    InputError
        If it is none, was damaged or changed; ask its site for another copy.
    """
    start = len(_MAGIC) + _DIGEST_BYTES
    payload = content[start:]
    digest = hashlib.sha256(payload).digest()
    if content[:start] != _MAGIC + digest:
        what = "was damaged or changed" if content.startswith(_MAGIC) else "is no packet"
        raise InputError(place, what, "ask the site that made it for another copy")
    try:
        arrays = unpack(payload)
        header = json.loads(arrays.pop(_HEADER).tobytes())
        said_of = {FORM: header["sites"]}[header["form"]]
        states: list[dict[str, np.ndarray]] = [{} for _ in said_of]
        for key, array in arrays.items():
            number, name = key.split("/", 1)
            states[int(number)][name] = array
        sites = [
            Site(**{**said, "policies": tuple(said["policies"])}, state=state)
            for said, state in zip(said_of, states, strict=True)
        ]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        problem = f"is no packet of this version ({error})"
        raise InputError(place, problem, "make it again with this version") from error
    return Packet(header["schema"], tuple(sites))


def merged(packets: Sequence[tuple[str, Packet]]) -> Packet:
    """One packet with the sites of all.

    Parameters
    ----------
    packets : sequence of (str, Packet)
        Each with the name of its file, for messages; in any order.

    Returns
    -------
    Packet
        The same bytes for any order.

    Raises
    ------
    InputError
        If a site is there twice, or the packets are of unlike models.
    """
    first_place, first = packets[0]
    seen: dict[str, str] = {}
    sites: list[Site] = []
    for place, packet in packets:
        if differs := _difference(first.schema, packet.schema):
            raise InputError(
                place,
                f"has other {differs} than {first_place}, so their states do not add",
                "make both from requests with equal settings, channels and classes",
            )
        for site in packet.sites:
            if site.name in seen:
                raise InputError(
                    place,
                    f"holds site {site.name}, as does {seen[site.name]}",
                    "give each site once",
                )
            seen[site.name] = place
            sites.append(site)
    return Packet(first.schema, tuple(sorted(sites, key=lambda site: site.name)))


def state_of(
    parts: Mapping[str, Mapping[tuple[str, ...], Mapping[str, np.ndarray]]],
) -> dict[str, np.ndarray]:
    """States by pass and name of leaf as one flat state, as `Site.state` has it.

    Examples
    --------
    >>> list(state_of({"rows": {("block 0",): {"count": np.zeros(())}}}))
    ['["rows", "block 0", "count"]']
    """
    return {
        json.dumps([name, *leaf, key], ensure_ascii=False): np.asarray(array)
        for name, own in sorted(parts.items())
        for leaf, state in sorted(own.items())
        for key, array in sorted(state.items())
    }


def _difference(first: Any, second: Any) -> str:
    """The name of the first key, at any depth, by which two schemas differ; empty where equal.

    >>> _difference({"a": {"b": 1, "c": 2}}, {"a": {"c": 2, "b": 1}})
    'a.order'
    """
    if isinstance(first, dict) and isinstance(second, dict):
        for key in sorted({*first, *second}):
            if first.get(key) != second.get(key):
                deeper = _difference(first.get(key), second.get(key))
                return f"{key}.{deeper}" if deeper else key
            if deeper := _difference(first.get(key), second.get(key)):
                return f"{key}.{deeper}"
        return "" if list(first) == list(second) else "order"
    return ""
