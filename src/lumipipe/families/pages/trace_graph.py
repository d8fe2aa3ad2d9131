"""Traceability as a graph: measurand, model equation, channels, sensors, certificates.

It is drawn from the list that the table has. What would be too many boxes is folded; the table
keeps every channel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lumipipe.config import member_name
from lumipipe.language import say
from lumipipe.reporting.figures.declared import MOST_NODES, Graph, Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lumipipe.families.pages.budgets import Statement
    from lumipipe.families.pages.traceability import Link

_NAMES, _MOST_WORDS = 2, 60


class _Row(NamedTuple):
    """Channels that lead to the same sensor and certificate."""

    channels: tuple[str, ...]
    sensors: tuple[str, ...]
    certificate: tuple[str, ...]
    """Identity, validity, laboratory and signature; empty for several that are folded."""
    folded: int = 0
    """Certificates that are folded."""
    has_sensor: bool = True
    is_certified: bool = True


def traceability_graph(statements: Sequence[Statement], links: Sequence[Link]) -> Graph:
    """What the quantities of a report rest on.

    Parameters
    ----------
    statements : sequence of Statement
        The quantities; none where nothing has an uncertainty.
    links : sequence of Link
        All channels with their sensors and certificates; those that no quantity is made of, or
        was taught with, are left to the table.

    Returns
    -------
    Graph
        Of twenty boxes at most: channels with one sensor and one certificate are one box; where
        that is not enough, sensors of one certificate are, and then the last certificates.
    """
    trunk = _trunk(statements)
    used = [link for link in links if _is_used(link, statements)]
    rows = _folded([_row(link) for link in used], MOST_NODES - len(trunk))
    layers, pairs = _layers(rows)
    return Graph(
        kind="graph",
        title=say("What the result rests on"),
        caption=say(
            "An arrow leads from what is known to what rests on it. A broken line: not "
            "characterised. Channels of one sensor and one certificate share a box; the table "
            "below has each of them."
        ),
        alt=_words(statements, rows),
        trunk=trunk,
        columns=[say("channel"), say("sensor"), say("certificate")] if rows else [],
        layers=layers,
        links=pairs,
    )


def _is_used(link: Link, statements: Sequence[Statement]) -> bool:
    """Whether a quantity rests on a channel, or on one of the columns that it stands for."""
    names = [name for one in statements for name in one.channels]
    group = member_name(link.channel, "")[:-1]
    return not names or any(name == link.channel or name.startswith(group) for name in names)


def _trunk(statements: Sequence[Statement]) -> list[Node]:
    """Measurand and equation; of several quantities their names."""
    if not statements:
        text = say("no quantity with an uncertainty")
        return [Node(id="measurand", text=[text], is_known=False)]
    names = _some([one.name for one in statements])
    equations = dict.fromkeys(_formula(one) for one in statements)
    return [
        Node(id="measurand", text=[say("Measurand: {names}", names=names)]),
        Node(id="equation", text=[say("Model: {equations}", equations=_some(list(equations)))]),
    ]


def _formula(statement: Statement) -> str:
    """The equation without the meaning of its letters."""
    return statement.equation.partition(";")[0].rstrip(".")[:_MOST_WORDS]


def _some(names: Sequence[str], most: int = _NAMES) -> str:
    """The first names, and how many more there are."""
    text = ", ".join(names[:most])
    more = len(names) - most
    return text if more <= 0 else say("{names} and {count} more", names=text, count=more)


def _row(link: Link) -> _Row:
    """A channel by itself."""
    valid = say("valid: {days}", days=link.valid) if link.valid else ""
    signed = link.signature.partition(";")[0]
    parts = (link.certificate, valid, link.laboratory, signed)
    certificate = tuple(part for part in parts if part)
    return _Row(
        (link.channel,),
        (link.sensor,),
        certificate,
        has_sensor=link.has_sensor,
        is_certified=link.is_certified,
    )


def _joined(rows: Iterable[_Row], key: str) -> list[_Row]:
    """Rows with one certificate, and one sensor where the key says so, as one row each."""
    found: dict[tuple[tuple[str, ...], ...], list[_Row]] = {}
    for row in rows:
        same = (row.certificate, row.sensors) if key == "sensor" else (row.certificate,)
        found.setdefault(same, []).append(row)
    return [_one(parts, parts[0].certificate) for parts in found.values()]


def _one(parts: Sequence[_Row], certificate: tuple[str, ...], folded: int = 0) -> _Row:
    """Several rows as one."""
    channels = dict.fromkeys(name for part in parts for name in part.channels)
    sensors = dict.fromkeys(name for part in parts for name in part.sensors)
    return _Row(
        tuple(channels),
        tuple(sensors),
        certificate,
        folded,
        any(part.has_sensor for part in parts),
        any(part.is_certified for part in parts),
    )


def _folded(rows: Sequence[_Row], room: int) -> list[_Row]:
    """The rows with as many boxes as there is room for, those of one certificate side by side."""
    found = _joined(rows, "sensor")
    if _boxes(found) > room:
        found = _joined(found, "certificate")
    most = max(2, room // 3)
    if _boxes(found) > room and len(found) > most:
        certified = [row for row in found if row.is_certified]
        open_rows = [row for row in found if not row.is_certified]  # they share one certificate
        kept = most - 1 - len(open_rows)
        rest = certified[kept:]
        found = [*certified[:kept], _one(rest, (), len(rest)), *open_rows]
    order = list(dict.fromkeys(row.certificate for row in found))
    return sorted(found, key=lambda row: order.index(row.certificate))


def _boxes(rows: Sequence[_Row]) -> int:
    """Boxes that rows take."""
    layers, _ = _layers(rows)
    return sum(len(layer) for layer in layers)


def _layers(rows: Sequence[_Row]) -> tuple[list[list[Node]], list[tuple[str, str]]]:
    """Boxes of channels, sensors and certificates, and what leads where."""
    if not rows:
        return [], []
    layers: list[dict[str, Node]] = [{}, {}, {}]
    pairs: dict[tuple[str, str], None] = {}
    for row in rows:
        nodes = (_channels(row), _sensors(row), _certificate(row))
        for layer, node in zip(layers, nodes, strict=True):
            layer.setdefault(node.id, node)
        pairs |= {(nodes[0].id, nodes[1].id): None, (nodes[1].id, nodes[2].id): None}
    return [list(layer.values()) for layer in layers], list(pairs)


def _channels(row: _Row) -> Node:
    text = _some(row.channels)
    return Node(id="channel " + "|".join(row.channels), text=[text])


def _sensors(row: _Row) -> Node:
    # A sensor that nobody knows is another one behind each certificate.
    names = row.sensors if row.has_sensor else (*row.sensors, *row.certificate)
    text = _some(row.sensors)
    return Node(id="sensor " + "|".join(names), text=[text], is_known=row.has_sensor)


def _certificate(row: _Row) -> Node:
    text = list(row.certificate)
    if row.folded:
        text = [say("{count} more, see the table", count=row.folded)]
    return Node(id="certificate " + "|".join(text), text=text, is_known=row.is_certified)


def _words(statements: Sequence[Statement], rows: Sequence[_Row]) -> str:
    """The graph in words."""
    names = _some([one.name for one in statements]) or say("no quantity")
    told = [
        say(
            "{channels}: sensor {sensors}, certificate {certificate}",
            channels=_some(row.channels),
            sensors=_some(row.sensors),
            certificate=", ".join(_certificate(row).text),
        )
        for row in rows
    ]
    return say("{names} rests on channels. {told}.", names=names, told="; ".join(told))
