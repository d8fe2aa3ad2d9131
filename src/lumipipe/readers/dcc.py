"""Digital calibration certificates (DCC): the XML of the PTB, schemas 2.4.0 to 3.x.

Read are identity, laboratory, instrument, days and results; names of customers and of persons are
not. Numbers and units are `lumipipe.readers.dsi`'s, signatures `lumipipe.readers.signatures`'s.

References
----------
Physikalisch-Technische Bundesanstalt, https://ptb.de/dcc, schemas 2.4.0, 3.1.1, 3.1.2, 3.2.0.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from lumipipe.errors import InputError
from lumipipe.readers.compressed import first_bytes, shown
from lumipipe.readers.dsi import Result, read_result
from lumipipe.readers.files import file_digest
from lumipipe.readers.libraries import damage, library
from lumipipe.readers.signatures import Signature, signed_part
from lumipipe.readers.xmlinput import read_xml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_DCC = "{https://ptb.de/dcc}"
_ROOT = "digitalCalibrationCertificate"
_HEAD_BYTES = 2**16
_ASK = "ask the laboratory for a certificate by the schema 2.4.0, 3.1 or 3.2 of the PTB"
_NO_RESULTS = {f"{_DCC}{name}" for name in ("measurementMetaData", "influenceConditions")}
"""Parts of a result whose quantities are no results: limits, nominal values, surroundings."""


class CalibrationCertificate(NamedTuple):
    """What a digital calibration certificate says."""

    id: str
    schema: str
    laboratory: str
    items: tuple[str, ...]
    """Serial numbers and other identities of what was calibrated."""
    first_day: date
    last_day: date
    """Days of the calibration."""
    recalibrate: date | None
    """Day by which it is to be calibrated again, where that is stated."""
    results: tuple[Result, ...]
    signature: Signature | None
    sha256: str


def is_certificate(file: Path) -> bool:
    """Whether a file begins like a digital calibration certificate; not where it is unreadable."""
    try:
        head = first_bytes(file, _HEAD_BYTES)[0]
    except InputError:
        return False
    return f":{_ROOT}".encode() in head or f"<{_ROOT}".encode() in head


def read_certificate(file: Path, trust: Sequence[Path] = ()) -> CalibrationCertificate:
    """A digital calibration certificate, its signature verified.

    Parameters
    ----------
    file : Path
        The XML.
    trust : sequence of Path
        PEM files of trusted certificates and of lists of revocations; see `signed_part`.

    Returns
    -------
    CalibrationCertificate
        Of a signed file, what is signed.

    Raises
    ------
    InputError
        If lxml or signxml is missing: install the extra. If the file is damaged, of an unknown
        schema, or lacks what must stand in it: ask the laboratory. If its signature does not
        verify: do not use it.
    """
    etree = library(file, "lxml.etree", "lxml", "dcc")
    text, _ = read_xml(file, _ROOT, salvage=False)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    with damage(file, "digital calibration certificate"):
        root, signature = signed_part(file, etree.fromstring(text, parser), trust)
        if root.tag != f"{_DCC}{_ROOT}":
            raise InputError(shown(file), "is no digital calibration certificate", _ASK)
        # A comment would cut the text around it in two.
        etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
        return _read(file, root, signature)


def _read(file: Path, root: Any, signature: Signature | None) -> CalibrationCertificate:
    """What stands below the root."""
    schema = root.get("schemaVersion", "")
    if schema != "2.4.0" and not schema.startswith("3."):
        raise InputError(shown(file), f"is by the schema {schema or 'of no version'}", _ASK)
    core = f"{_DCC}administrativeData/{_DCC}coreData/{_DCC}"
    office = f"{_DCC}administrativeData/{_DCC}calibrationLaboratory/{_DCC}contact"
    identities = root.iterfind(
        f"{_DCC}administrativeData/{_DCC}items//{_DCC}identification/{_DCC}value"
    )
    items = [" ".join((one.text or "").split()) for one in identities]
    again = [
        one.findtext(f"{_DCC}date")
        for one in root.iter(f"{_DCC}statement")
        if "basic_recalibration" in one.get("refType", "").split()
    ]
    return CalibrationCertificate(
        _needed(file, root.findtext(f"{core}uniqueIdentifier"), "uniqueIdentifier"),
        schema,
        _needed(file, _words(root.find(office)), "calibrationLaboratory"),
        tuple(dict.fromkeys(filter(None, items))),
        _day(file, root.findtext(f"{core}beginPerformanceDate"), "beginPerformanceDate"),
        _day(file, root.findtext(f"{core}endPerformanceDate"), "endPerformanceDate"),
        min((_day(file, day, "date") for day in again if day), default=None),
        tuple(_results(file, root)),
        signature,
        file_digest(file),
    )


def _results(file: Path, root: Any) -> Iterator[Result]:
    """Its results, in the order of the file."""
    tables: list[Any] = []
    for quantity in root.iterfind(f".//{_DCC}results//{_DCC}quantity"):
        if any(above.tag in _NO_RESULTS for above in quantity.iterancestors()):
            continue
        parent = quantity.getparent()
        if parent not in tables:
            tables.append(parent)
        kinds = (*quantity.get("refType", "").split(), *quantity.get("id", "").split())
        name = _words(quantity)
        try:
            found = read_result(quantity, name, kinds, tables.index(parent) + 1)
        except ValueError as error:
            told = f"result {name or ', '.join(kinds) or len(tables)}: {error}"
            raise InputError(shown(file), told, _ASK) from error
        if found is not None:
            yield found


def _words(element: Any) -> str:
    """The name of a thing, in English where that is there."""
    names = [] if element is None else element.findall(f"{_DCC}name/{_DCC}content")
    chosen = next((one for one in names if one.get("lang") == "en"), names[0] if names else None)
    return "" if chosen is None else " ".join((chosen.text or "").split())


def _needed(file: Path, text: str | None, name: str) -> str:
    """A text that must be there."""
    if text is None or not text.strip():
        raise InputError(shown(file), f"has no {name}", _ASK)
    return " ".join(text.split())


def _day(file: Path, text: str | None, name: str) -> date:
    """A day, without its time zone."""
    told = _needed(file, text, name)
    try:
        return date.fromisoformat(told[:10])
    except ValueError as error:
        raise InputError(shown(file), f"{name} {told} is no day", _ASK) from error
