"""A card as other catalogues read it: Croissant 1.1 and DCAT 3, both as JSON-LD, and a citation.

One source: nothing is said here that the card and the manifest do not say. What would tell of
persons, such as the digests of units, is left out.

References: MLCommons, "Croissant Format Specification 1.1", 2026; R. Albertoni et al. (eds.), "Data
Catalog Vocabulary (DCAT), version 3", W3C Recommendation 2024.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumipipe.pool.policy import READY

if TYPE_CHECKING:
    from lumipipe.pool.card import Card

CROISSANT, DCAT, CITATION = "croissant.json", "dcat.json", "CITATION.txt"
_CONFORMS = "http://mlcommons.org/croissant/1.1"
_TERMS = (
    *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field"),
    *("fileObject", "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset"),
    *("jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex"),
    *("repeated", "replace", "samplingRate", "separator", "source", "subField", "transform"),
)
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    **{term: f"cr:{term}" for term in _TERMS},
}


def citation(card: Card) -> str:
    """The words by which a dataset is cited."""
    terms = f"Terms: {card.policy or 'none stated'}; licence: {card.licence or 'none stated'}."
    return f"{card.citation}\n{terms}\n"


def _policy_iri(card: Card) -> str | None:
    """The IRI of the terms, where they come with lumipipe; else the file's name."""
    return f"urn:lumipipe:policy:{card.policy}" if card.policy in READY else card.policy


def dcat(card: Card) -> dict[str, Any]:
    """The card as a `dcat:Dataset` in JSON-LD."""
    content = {
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "odrl": "http://www.w3.org/ns/odrl/2/",
            "spdx": "http://spdx.org/rdf/terms#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@id": _iri(card),
        "@type": "dcat:Dataset",
        "dct:identifier": card.id,
        "dcat:version": str(card.version),
        "dct:title": card.title,
        "dct:description": card.description,
        "dct:issued": {"@type": "xsd:date", "@value": card.published.isoformat()},
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": card.owner},
        "dct:bibliographicCitation": card.citation,
        "dcat:keyword": sorted({c.quantity for s in card.streams.values() for c in s.channels}),
        "dcat:distribution": {
            "@type": "dcat:Distribution",
            "dct:format": "Zarr v3",
            "dcat:byteSize": {"@type": "xsd:nonNegativeInteger", "@value": str(card.size)},
            "spdx:checksum": {
                "@type": "spdx:Checksum",
                "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
                "spdx:checksumValue": {"@type": "xsd:hexBinary", "@value": card.digest},
            },
        },
    }
    if card.licence is not None:
        content["dct:license"] = {"@type": "dct:LicenseDocument", "dct:title": card.licence}
    policy = _policy_iri(card)
    if policy is not None:
        content["odrl:hasPolicy"] = {"@id": policy}
    return content


def croissant(card: Card, manifest_sha256: str, store: str) -> dict[str, Any]:
    """The card as a Croissant dataset in JSON-LD.

    Parameters
    ----------
    card : Card
        The card.
    manifest_sha256 : str
        SHA-256 of the manifest's file, which lists the files of the store with their digests.
    store : str
        Name of the folder of the store beside the card.

    Returns
    -------
    dict
        Metadata, terms by ``usageInfo`` and files. Shards are compressed chunks that Croissant has
        no reader for, so there are no record sets; the channels stand in ``variableMeasured``.
    """
    content: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": card.id,
        "version": f"{card.version}.0.0",
        "description": f"{card.title}. {card.description}",
        "conformsTo": _CONFORMS,
        "citeAs": card.citation,
        "datePublished": card.published.isoformat(),
        "creator": {"@type": "sc:Organization", "name": card.owner},
        "license": card.licence or "none stated",
        "url": _iri(card),
        "variableMeasured": [
            f"{name}/{channel.name}: {channel.quantity} in {channel.unit}"
            for name, stream in sorted(card.streams.items())
            for channel in stream.channels
        ],
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "manifest",
                "name": "manifest",
                "description": "List of all files with size and SHA-256",
                "contentUrl": card.manifest,
                "encodingFormat": "application/json",
                "sha256": manifest_sha256,
            },
            {
                "@type": "cr:FileSet",
                "@id": "store",
                "name": "store",
                "description": "Zarr v3 group",
                "encodingFormat": "application/octet-stream",
                "includes": f"{store}/**",
            },
        ],
    }
    policy = _policy_iri(card)
    if policy is not None:
        content["usageInfo"] = policy
    return content


def _iri(card: Card) -> str:
    """A name of this version that changes with its content."""
    return f"urn:sha256:{card.digest}"
