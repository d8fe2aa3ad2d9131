"""Traceability as a graph: who leads where, and what is folded."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.config import Channel
from lumipipe.families.pages.trace_graph import traceability_graph
from lumipipe.families.pages.traceability import Link, links_of
from lumipipe.reporting.figures.declared import MOST_NODES
from lumipipe.reporting.figures.drawing import markup

NOT = "not characterised"
QUANTITY: Any = SimpleNamespace(
    name="CO2e", equation="E = Σ a · f over the activities; a: amount.", channels=()
)


def link(channel: str, sensor: str = NOT, certificate: str = NOT, valid: str = "") -> Link:
    return Link("s", channel, "power", "W", sensor, certificate, valid)


def leads(graph: Any, channel: str) -> list[str]:
    """The words of the sensor and the certificate that a channel leads to."""
    nodes = {node.id: node for layer in graph.layers for node in layer}
    (at,) = [n.id for n in graph.layers[0] if channel in n.text[0].split(", ")]
    (sensor,) = [b for a, b in graph.links if a == at]
    (certificate,) = [b for a, b in graph.links if a == sensor]
    return [nodes[sensor].text[0], *nodes[certificate].text]


def test_each_channel_leads_to_its_sensor_and_certificate() -> None:
    found = traceability_graph(
        [QUANTITY],
        [
            link("a", "s1", "dcc-1", "2026-01-31")._replace(laboratory="Lab"),
            link("b", "s1", "dcc-1", "2026-01-31")._replace(laboratory="Lab"),
            link("c", "s2"),
            link("d"),
        ],
    )
    assert leads(found, "a") == leads(found, "b") == ["s1", "dcc-1", "valid: 2026-01-31", "Lab"]
    assert leads(found, "c") == ["s2", NOT]
    assert leads(found, "d") == [NOT, NOT]
    broken = {n.text[0] for layer in found.layers for n in layer if not n.is_known}
    assert broken == {NOT}
    assert [node.text[0] for node in found.trunk] == [
        "Measurand: CO2e",
        "Model: E = Σ a · f over the activities",
    ]
    assert "a, b: sensor s1, certificate dcc-1, valid: 2026-01-31, Lab" in found.alt


def test_what_a_signature_says_stands_below_its_certificate_in_short() -> None:
    signature = "signature verified as of 2022-03-01; signed by Lab A1; revocation not checked"
    found = traceability_graph([QUANTITY], [link("a", "s", "dcc-1")._replace(signature=signature)])
    assert leads(found, "a") == ["s", "dcc-1", "signature verified as of 2022-03-01"]
    table = link("b", "s", "dcc-2")._replace(signature="not signed")
    assert leads(traceability_graph([QUANTITY], [table]), "b") == ["s", "dcc-2", "not signed"]


LINKS = st.builds(
    link,
    st.text("abc", min_size=1, max_size=4),
    st.sampled_from([NOT, *(f"s{n}" for n in range(30))]),
    st.sampled_from([NOT, *(f"dcc-{n}" for n in range(30))]),
)


@given(st.lists(LINKS, max_size=60))
def test_many_channels_are_folded_and_none_hangs_in_the_air(links: list[Link]) -> None:
    found = traceability_graph([QUANTITY], links)
    nodes = [node.id for layer in found.layers for node in layer]
    assert len(nodes) + len(found.trunk) <= MOST_NODES
    assert len(set(nodes)) == len(nodes)
    starts, ends = {a for a, _ in found.links}, {b for _, b in found.links}
    layers = [{node.id for node in layer} for layer in found.layers] or [set()] * 3
    assert starts == layers[0] | layers[1]
    assert ends == layers[1] | layers[2]


def test_the_graph_of_many_certificates_keeps_the_known_ones_and_counts_the_rest() -> None:
    links = [link("x"), *(link(f"c{n}", f"s{n}", f"dcc-{n}") for n in range(30))]
    found = traceability_graph([QUANTITY], links)
    last = [node.text[0] for node in found.layers[2]]
    assert last == [*(f"dcc-{n}" for n in range(4)), "26 more, see the table", NOT]
    assert leads(found, "x") == [NOT, NOT]
    drawn = markup(found)
    assert drawn == markup(traceability_graph([QUANTITY], links))


def test_channels_that_no_quantity_rests_on_are_left_to_the_table() -> None:
    quantity = SimpleNamespace(name="y", equation="y = g(x)", channels=("a", "x[3]"))
    found = traceability_graph([quantity], [link("a"), link("b"), link("x")])  # type: ignore[list-item]
    assert [node.text for node in found.layers[0]] == [["a, x"]]


def test_nothing_to_state_is_drawn_as_that() -> None:
    found = traceability_graph([], [])
    assert "no quantity with an uncertainty" in markup(found)


@pytest.mark.parametrize("certificate", [NOT, "dcc-1"])
def test_a_meter_stands_for_a_sensor_that_is_not_named(certificate: str) -> None:
    channel = Channel.model_validate(
        {"name": "kwh", "quantity": "energy", "unit": "kWh", "certificate": certificate}
    )
    train = SimpleNamespace(
        meters={"main": SimpleNamespace(source="class 1")},
        activities={"power": SimpleNamespace(channel="kwh", meter="main")},
    )
    data = [SimpleNamespace(id="m", channels=[channel])]
    job = SimpleNamespace(train=train, asset=SimpleNamespace(), request=SimpleNamespace(data=data))
    (found,) = links_of(SimpleNamespace(job=job))  # type: ignore[arg-type]
    assert (found.source, found.sensor) == ("m", "main")
    assert found.certificate == ("class 1" if certificate == NOT else "dcc-1")
