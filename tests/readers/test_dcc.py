"""Digital calibration certificates: what they say, and whether their signature verifies."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING

import pytest

from lumipipe.errors import InputError
from lumipipe.readers.dcc import is_certificate, read_certificate
from lumipipe.readers.signatures import signature_words
from readers.dcc_files import SIGNED_ON, TEMPERATURES, YEAR, dcc, laboratory, quantity

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

LAB = laboratory()


def written(folder: Path, content: str | bytes, name: str = "dcc.xml") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


@pytest.mark.parametrize("schema", ["2.4.0", "3.1.1", "3.2.0"])
def test_all_that_a_certificate_says_is_read(tmp_path: Path, schema: str) -> None:
    file = written(tmp_path, dcc(schema=schema, again="2024-02-01"))
    assert is_certificate(file)
    told = read_certificate(file)
    assert (told.id, told.schema, told.laboratory) == ("dcc-0417", schema, "Lab A")
    assert told.items == ("SN 12",)
    assert (told.first_day, told.last_day) == (date(2022, 1, 31), date(2022, 2, 1))
    assert told.recalibrate == date(2024, 2, 1)
    assert told.signature is None
    assert "Kunde" not in str(told)
    reference, error = told.results
    assert (reference.name, reference.unit, reference.expanded) == ("Reference", "K", ())
    assert (error.name, error.unit, error.values) == ("Error", "K", (0.01, 0.02, 0.03))
    assert error.expanded == (0.04, 0.06, 0.2)
    assert (error.k, error.probability) == ((2.0,) * 3, 0.95)
    assert error.table == reference.table


def tag(name: str, content: object) -> str:
    """An element of D-SI."""
    return f"<si:{name}>{content}</si:{name}>"


K = tag("coverageFactor", 2.2)
EXPANDED = tag("expandedUnc", tag("uncertainty", 0.3) + K)
NEWER = tag("expandedMU", tag("valueExpandedMU", 0.3) + K)
STANDARD = tag("standardMU", tag("valueStandardMU", 0.1))
INTERVAL = tag("coverageInterval", tag("standardUnc", 0.1) + tag("intervalMin", 4))


@pytest.mark.parametrize(
    ("form", "expanded", "k"),
    [
        ("", (), ()),
        (EXPANDED, (0.3,), (2.2,)),
        (tag("measurementUncertaintyUnivariate", NEWER), (0.3,), (2.2,)),
        (tag("measurementUncertaintyUnivariate", STANDARD), (0.1,), (1.0,)),
        (INTERVAL, (0.1,), (1.0,)),
    ],
)
def test_each_form_of_an_uncertainty(
    tmp_path: Path, form: str, expanded: tuple[float, ...], k: tuple[float, ...]
) -> None:
    real = f"<si:real><si:value>5</si:value><si:unit>\\milli\\volt</si:unit>{form}</si:real>"
    (result,) = read_certificate(written(tmp_path, dcc(quantity(real)))).results
    assert (result.unit, result.values, result.expanded, result.k) == ("mV", (5.0,), expanded, k)


def test_a_list_in_the_newer_form_and_of_single_numbers(tmp_path: Path) -> None:
    newer = tag("valueExpandedMUXMLList", "0.1 0.2") + tag("coverageFactorXMLList", "2 3")
    newer = tag("measurementUncertaintyUnivariateXMLList", tag("expandedMUXMLList", newer))
    values = tag("valueXMLList", "1 2") + tag("unitXMLList", "\\one \\one")
    listed = quantity(tag("realListXMLList", values + newer))
    one = "<si:real><si:value>{}</si:value><si:unit>\\one</si:unit></si:real>"
    single = quantity(f"<si:list>{one.format(1)}{one.format(2)}</si:list>")
    first, second = read_certificate(written(tmp_path, dcc(listed + single))).results
    assert (first.values, first.expanded, first.k) == ((1.0, 2.0), (0.1, 0.2), (2.0, 3.0))
    assert (second.values, second.expanded) == ((1.0, 2.0), ())


def test_limits_and_surroundings_are_no_results(tmp_path: Path) -> None:
    real = "<si:real><si:value>1</si:value><si:unit>\\one</si:unit></si:real>"
    inner = f"<dcc:measurementMetaData>{quantity(real)}</dcc:measurementMetaData>"
    around = f"<dcc:influenceConditions>{quantity(real)}</dcc:influenceConditions>"
    text = quantity("<dcc:noQuantity>x</dcc:noQuantity>")
    told = read_certificate(written(tmp_path, dcc(quantity(real + inner) + around + text)))
    assert len(told.results) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (dcc(schema="4.0.0"), "is by the schema 4.0.0; ask the laboratory"),
        (dcc().replace("uniqueIdentifier", "identifier"), "has no uniqueIdentifier; ask"),
        (dcc(day="yesterday"), "endPerformanceDate yesterday is no day; ask"),
        (dcc(TEMPERATURES.replace("0.04 0.06", "0.04")), "result Error: states 2 uncertainties of"),
        (dcc(TEMPERATURES.replace("0.04", "-0.04")), "that is not positive; ask"),
        (dcc(TEMPERATURES.replace("0.04", "small")), "result Error: holds what is no number"),
        (dcc(TEMPERATURES.replace("0.04", "nan")), "that is not positive; ask"),
        (
            '<!DOCTYPE x [<!ENTITY y SYSTEM "/etc/passwd">]>' + dcc().partition("?>")[2],
            "declares a document type or entities, which no instrument writes",
        ),
        (dcc()[:-200], "is damaged or no XML"),
        (dcc().replace("https://ptb.de/dcc", "urn:x"), "is no digital calibration certificate"),
    ],
)
def test_what_is_no_certificate_is_refused(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(InputError, match=words.replace("(", r"\(")) as error:
        read_certificate(written(tmp_path, content))
    assert "\n" not in str(error.value)


def test_a_comment_does_not_cut_a_number(tmp_path: Path) -> None:
    text = dcc(TEMPERATURES.replace("0.04", "0.0<!-- -->4"))
    for content in (text, LAB.sign(text)):
        assert read_certificate(written(tmp_path, content)).results[1].expanded[0] == 0.04


def test_a_signature_is_verified_as_of_when_it_was_made(tmp_path: Path) -> None:
    file, root = written(tmp_path, LAB.sign(dcc())), LAB.write_root(tmp_path)
    told = read_certificate(file, [root])
    assert told.signature is not None
    assert told.signature.time == SIGNED_ON
    assert signature_words(told.signature) == (
        "signature verified as of 2022-03-01 12:00:00 UTC; signed by Lab A1; revocation not checked"
    )
    assert [len(one.values) for one in told.results] == [3, 3]
    alone = read_certificate(file).signature
    assert signature_words(alone).startswith("signature fits as of 2022-03-01 12:00:00 UTC, its")


@pytest.mark.parametrize(
    ("was", "now", "part"),
    [
        (b"0.04", b"0.02", "the document"),
        (b"2022-03-01T12", b"2022-03-01T13", "its part #"),
    ],
)
def test_a_changed_document_fails_on_its_digest(
    tmp_path: Path, was: bytes, now: bytes, part: str
) -> None:
    signed = LAB.sign(dcc())
    assert signed.count(was) == 1
    file = written(tmp_path, signed.replace(was, now))
    for trust in ([], [LAB.write_root(tmp_path)]):
        with pytest.raises(InputError, match=f"does not verify: the digest of {part}.* differs"):
            read_certificate(file, trust)


def test_a_digest_that_was_mended_fails_on_the_signature(tmp_path: Path) -> None:
    one, other = LAB.sign(dcc()), LAB.sign(dcc(TEMPERATURES.replace("0.04", "0.02")))
    digests = [part.split(b"DigestValue>")[1][:-5] for part in (one, other)]
    forged = one.replace(b"0.04", b"0.02").replace(digests[0], digests[1])
    with pytest.raises(InputError, match="does not verify: its value does not fit"):
        read_certificate(written(tmp_path, forged), [LAB.write_root(tmp_path)])


def test_others_may_not_sign_in_its_name(tmp_path: Path) -> None:
    forged = written(tmp_path, laboratory().sign(dcc()))
    with pytest.raises(InputError, match="no trusted certificate leads to the signer"):
        read_certificate(forged, [LAB.write_root(tmp_path)])


@pytest.mark.parametrize("time", [SIGNED_ON - YEAR, SIGNED_ON + YEAR])
def test_a_certificate_that_did_not_hold_when_it_signed(tmp_path: Path, time: datetime) -> None:
    file = written(tmp_path, LAB.sign(dcc(), time))
    with pytest.raises(InputError, match="signer's certificate ran from 2021-08-31 to 2022-08-31"):
        read_certificate(file, [LAB.write_root(tmp_path)])


def test_a_signature_that_was_taken_off_is_missed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not signed, and trust is given; do not use it"):
        read_certificate(written(tmp_path, dcc()), [LAB.write_root(tmp_path)])


def test_what_is_beside_the_signed_document_is_not_read(tmp_path: Path) -> None:
    """The signed certificate, wrapped into another one that says what an attacker likes."""
    signed = LAB.sign(dcc()).decode()
    signature = signed[signed.index("<ds:Signature") : signed.index("</ds:Signature>") + 15]
    outer = dcc(TEMPERATURES.replace("0.04", "0.02"))
    end = "</dcc:digitalCalibrationCertificate>"
    wrapped = outer.replace(end, f"{signed.replace(signature, '')}{signature}{end}")
    with pytest.raises(InputError, match="does not verify: the digest of the document differs"):
        read_certificate(written(tmp_path, wrapped), [LAB.write_root(tmp_path)])
    twice = signed.replace(signature, signature * 2)
    with pytest.raises(InputError, match="has 2 signatures"):
        read_certificate(written(tmp_path, twice), [LAB.write_root(tmp_path)])


def test_a_signature_on_a_part_alone_is_refused(tmp_path: Path) -> None:
    marked = dcc().replace("<dcc:measurementResults>", '<dcc:measurementResults Id="part">')
    file = written(tmp_path, LAB.sign(marked, part="part"))
    with pytest.raises(InputError, match="its signature is not about the whole document"):
        read_certificate(file, [LAB.write_root(tmp_path)])


def test_a_signing_time_that_nobody_signed_is_refused(tmp_path: Path) -> None:
    later = f"<SigningTime xmlns='urn:x'>{(SIGNED_ON + YEAR / 4).isoformat()}</SigningTime>"
    end = b"</ds:KeyInfo>"
    signed = LAB.sign(dcc())
    assert signed.count(end) == 1
    decoy = signed.replace(end, end + f"<ds:Object>{later}</ds:Object>".encode())
    with pytest.raises(InputError, match="not about the whole document and its own time"):
        read_certificate(written(tmp_path, decoy), [LAB.write_root(tmp_path)])


def test_of_a_signed_document_within_another_the_signed_one_is_read(tmp_path: Path) -> None:
    inner = dcc().partition("?>")[2].replace("\nschemaVersion", '\nId="inner" schemaVersion')
    end = "</dcc:digitalCalibrationCertificate>"
    outer = dcc(TEMPERATURES.replace("0.04", "0.02"), id="forged").replace(end, f"{inner}{end}")
    file = written(tmp_path, LAB.sign(outer, part="inner"))
    told = read_certificate(file, [LAB.write_root(tmp_path)])
    assert told.id == "dcc-0417"
    assert told.results[1].expanded[0] == 0.04


def test_a_list_of_revocations_is_used_where_it_is_at_hand(tmp_path: Path) -> None:
    file, root = written(tmp_path, LAB.sign(dcc())), LAB.write_root(tmp_path)
    empty = LAB.write_revocations(tmp_path / "empty.crl")
    told = signature_words(read_certificate(file, [root, empty]).signature)
    assert told.endswith("; not revoked by the list of 2023-03-01")
    full = LAB.write_revocations(tmp_path / "full.crl", LAB.signer.serial_number)
    with pytest.raises(InputError, match="the certificate of Lab A1 was revoked on 2022-03-01"):
        read_certificate(file, [root, full])
    alien = laboratory("Lab A1").write_revocations(tmp_path / "alien.crl")
    with pytest.raises(InputError, match="signed by none of the trusted certificates"):
        read_certificate(file, [root, alien])
    with pytest.raises(InputError, match="holds no certificate; trust one that issued"):
        read_certificate(file, [empty])
    with pytest.raises(InputError, match="holds neither certificates"):
        read_certificate(file, [written(tmp_path, "x", "x.crt")])


@pytest.mark.parametrize("module", ["lxml.etree", "signxml"])
def test_the_extra_is_named_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    file = written(tmp_path, LAB.sign(dcc()))
    with pytest.raises(InputError, match=r"this format needs \w+; install lumipipe\[dcc\]"):
        read_certificate(file)
