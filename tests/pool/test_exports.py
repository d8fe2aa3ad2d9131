"""One card, told to two other kinds of catalogues, and to people who cite."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from lumipipe.errors import InputError
from lumipipe.pool.border import check_card
from lumipipe.pool.card import Card, CardChannel, CardStream
from lumipipe.pool.exports import citation, croissant, dcat

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = b"{}"
UNIT = "5" * 64


def card(**changes) -> Card:
    """A card of two channels."""
    channels = [
        CardChannel(name="t", quantity="temperature", unit="K"),
        CardChannel(name="p", quantity="pressure", unit="Pa"),
    ]
    fields = {
        "id": "boiler",
        "version": 2,
        "title": "Boiler",
        "description": "A year of hours.",
        "owner": "Our plant",
        "personal_data": "none",
        "policy": "company",
        "licence": "CC-BY-4.0",
        "attribution": "Our plant",
        "published": date(2026, 11, 28),
        "units": [UNIT],
        "recordings": 1,
        "streams": {"main": CardStream(rows=8760, channels=channels)},
        "files": 3,
        "size": 1234,
        "manifest": "abc.json",
        "digest": "a" * 64,
    }
    return Card(**fields | changes)


def exported(folder: Path, **changes) -> Path:
    """The Croissant file of a card beside its files."""
    (folder / "abc.json").write_bytes(MANIFEST)
    (folder / "abc.zarr").mkdir()
    (folder / "abc.zarr" / "zarr.json").write_bytes(MANIFEST)
    content = croissant(card(**changes), hashlib.sha256(MANIFEST).hexdigest(), "abc.zarr")
    path = folder / "croissant.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.filterwarnings("ignore")  # what mlcroissant and rdflib warn of is not ours
def test_croissant_is_valid(tmp_path: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="validates Croissant")
    found = mlcroissant.Dataset(jsonld=str(exported(tmp_path))).metadata
    assert found.issues.errors == set()
    assert (found.name, found.version) == ("boiler", "2.0.0")
    assert found.ctx.is_v1_1()
    assert [item.id for item in found.distribution] == ["manifest", "store"]
    assert found.cite_as == card().citation


def test_croissant_tells_terms_channels_and_digests(tmp_path: Path) -> None:
    content = json.loads(exported(tmp_path).read_text(encoding="utf-8"))
    assert content["usageInfo"] == "urn:lumipipe:policy:company"
    assert content["variableMeasured"] == [
        "main/t: temperature in K",
        "main/p: pressure in Pa",
    ]
    assert content["distribution"][0]["sha256"] == hashlib.sha256(MANIFEST).hexdigest()


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib 7 warns of itself
def test_dcat_is_a_dataset_with_distribution_checksum_and_policy() -> None:
    rdflib = pytest.importorskip("rdflib", reason="reads JSON-LD")
    graph = rdflib.Graph()
    graph.parse(data=json.dumps(dcat(card())), format="json-ld")
    names = {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"}
    names |= {"odrl": "http://www.w3.org/ns/odrl/2/", "spdx": "http://spdx.org/rdf/terms#"}
    space = {name: rdflib.Namespace(iri) for name, iri in names.items()}
    (dataset,) = graph.subjects(rdflib.RDF.type, space["dcat"].Dataset)
    assert str(dataset) == f"urn:sha256:{'a' * 64}"
    assert str(graph.value(dataset, space["dct"].title)) == "Boiler"
    assert graph.value(dataset, space["dct"].issued).toPython() == date(2026, 11, 28)
    assert {str(word) for word in graph.objects(dataset, space["dcat"].keyword)} == {
        "temperature",
        "pressure",
    }
    policy = graph.value(dataset, space["odrl"].hasPolicy)
    assert str(policy) == "urn:lumipipe:policy:company"
    distribution = graph.value(dataset, space["dcat"].distribution)
    assert graph.value(distribution, space["dcat"].byteSize).toPython() == 1234
    checksum = graph.value(distribution, space["spdx"].checksum)
    assert graph.value(checksum, space["spdx"].checksumValue).toPython().hex() == "a" * 64


def test_neither_tells_who_is_in_the_data(tmp_path: Path) -> None:
    assert UNIT not in exported(tmp_path).read_text(encoding="utf-8")
    assert UNIT not in json.dumps(dcat(card()))
    assert UNIT not in citation(card())


def test_the_citation_needs_no_doi() -> None:
    assert citation(card()) == (
        f"Our plant (2026): Boiler [data set], boiler version 2, SHA-256 {'a' * 64}.\n"
        "Terms: company; licence: CC-BY-4.0.\n"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"personal_data": "pseudonymous"}, "has personal_data: pseudonymous, which may not leave"),
        ({"personal_data": "personal"}, "send statistics packets instead"),
        ({"withdrawn": True}, "boiler was withdrawn"),
        ({"policy": None}, "boiler has no terms of use"),
    ],
)
def test_the_border_lets_no_such_card_out(changes: dict, said: str) -> None:
    check_card(card(), "card.json")
    with pytest.raises(InputError, match=r"card\.json: ") as caught:
        check_card(card(**changes), "card.json")
    assert said in str(caught.value)
