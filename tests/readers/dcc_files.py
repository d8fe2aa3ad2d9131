"""Small digital calibration certificates, and a laboratory that signs them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from pathlib import Path

for _name in ("lxml", "signxml"):
    pytest.importorskip(_name, reason="the extra dcc is not installed")

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402
from lxml import etree  # noqa: E402
from signxml.xades import XAdESSigner  # noqa: E402

SIGNED_ON = datetime(2022, 3, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
TEMPERATURES = """
<dcc:quantity refType="basic_referenceValue"><dcc:name><dcc:content lang="de">Bezug</dcc:content>
<dcc:content lang="en">Reference</dcc:content></dcc:name>
<si:hybrid><si:realListXMLList><si:valueXMLList>273.15 323.15 373.15</si:valueXMLList>
<si:unitXMLList>\\kelvin</si:unitXMLList></si:realListXMLList><si:realListXMLList>
<si:valueXMLList>0 50 100</si:valueXMLList><si:unitXMLList>\\degreecelsius</si:unitXMLList>
</si:realListXMLList></si:hybrid></dcc:quantity>
<dcc:quantity refType="basic_measurementError"><dcc:name><dcc:content>Error</dcc:content></dcc:name>
<si:realListXMLList><si:valueXMLList>0.01 0.02 0.03</si:valueXMLList>
<si:unitXMLList>\\kelvin</si:unitXMLList><si:expandedUncXMLList>
<si:uncertaintyXMLList>0.04 0.06 0.2</si:uncertaintyXMLList>
<si:coverageFactorXMLList>2</si:coverageFactorXMLList>
<si:coverageProbabilityXMLList>0.95</si:coverageProbabilityXMLList></si:expandedUncXMLList>
</si:realListXMLList></dcc:quantity>
"""
"""Errors at 0, 50 and 100 degrees Celsius."""


def dcc(results: str = TEMPERATURES, schema: str = "3.1.1", **other: str) -> str:
    """The text of a certificate; its customer must be found nowhere."""
    told = {"id": "dcc-0417", "laboratory": "Lab A", "day": "2022-02-01", "again": ""} | other
    again = (
        '<dcc:statements><dcc:statement refType="basic_recalibration">'
        f"<dcc:date>{told['again']}</dcc:date></dcc:statement></dcc:statements>"
        if told["again"]
        else ""
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<dcc:digitalCalibrationCertificate xmlns:dcc="https://ptb.de/dcc" xmlns:si="https://ptb.de/si"
schemaVersion="{schema}"><dcc:administrativeData><dcc:coreData>
<dcc:uniqueIdentifier>{told["id"]}</dcc:uniqueIdentifier>
<dcc:beginPerformanceDate>2022-01-31</dcc:beginPerformanceDate>
<dcc:endPerformanceDate>{told["day"]}</dcc:endPerformanceDate></dcc:coreData>
<dcc:items><dcc:item><dcc:identifications><dcc:identification><dcc:value>SN 12</dcc:value>
</dcc:identification></dcc:identifications></dcc:item></dcc:items>
<dcc:calibrationLaboratory><dcc:contact><dcc:name><dcc:content>{told["laboratory"]}</dcc:content>
</dcc:name></dcc:contact></dcc:calibrationLaboratory>
<dcc:customer><dcc:name><dcc:content>Kunde Oy</dcc:content></dcc:name></dcc:customer>{again}
</dcc:administrativeData><dcc:measurementResults><dcc:measurementResult><dcc:results><dcc:result>
<dcc:data><dcc:list>{results}</dcc:list></dcc:data></dcc:result></dcc:results>
</dcc:measurementResult></dcc:measurementResults></dcc:digitalCalibrationCertificate>
"""


def quantity(form: str, kind: str = "basic_measuredValue") -> str:
    """One quantity in a form of D-SI."""
    return f'<dcc:quantity refType="{kind}">{form}</dcc:quantity>'


class _Signer(XAdESSigner):
    """Signs at a time of the test's choice."""

    time = SIGNED_ON

    def add_signing_time(self, signed_signature_properties: Any, *_: Any, **__: Any) -> None:
        super().add_signing_time(signed_signature_properties, None, None)
        signed_signature_properties[-1].text = self.time.isoformat()


class Laboratory(NamedTuple):
    """A root and a signer that it vouches for."""

    root_key: Any
    root: Any
    key: Any
    signer: Any

    def sign(self, text: str, time: datetime = SIGNED_ON, part: str | None = None) -> bytes:
        """A certificate with the laboratory's signature, or one on the part with an Id alone."""
        signer = _Signer(signature_algorithm="ecdsa-sha256")
        signer.time = time
        root = etree.fromstring(text.encode())
        signed = signer.sign(root, key=self.key, cert=[self.signer], reference_uri=part)
        found: bytes = etree.tostring(signed)
        return found

    def write_root(self, folder: Path) -> Path:
        """The file of the root."""
        file = folder / "root.crt"
        file.write_bytes(self.root.public_bytes(Encoding.PEM))
        return file

    def write_revocations(self, file: Path, *revoked: int) -> Path:
        """A list of revocations by the root."""
        made = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.root.subject)
            .last_update(SIGNED_ON + YEAR)
            .next_update(SIGNED_ON + 2 * YEAR)
        )
        for number in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(number)
            made = made.add_revoked_certificate(entry.revocation_date(SIGNED_ON).build())
        signed = made.sign(self.root_key, hashes.SHA256())
        file.write_bytes(signed.public_bytes(Encoding.PEM))
        return file


def laboratory(name: str = "Lab A1") -> Laboratory:
    """A laboratory whose signer may sign for a year, in the middle of which is `SIGNED_ON`."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, signer_name = (_name(text) for text in (f"Root of {name}", name))
    usage = {"digital_signature": False, "key_cert_sign": True, "crl_sign": True}
    root = _certificate(root_name, root_name, root_key, 5 * YEAR, usage, 0)
    root = root.sign(root_key, hashes.SHA256())
    usage = {"digital_signature": True, "key_cert_sign": False, "crl_sign": False}
    signer = _certificate(signer_name, root_name, key, YEAR / 2, usage, None)
    identity = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    signer = signer.add_extension(identity, critical=False).sign(root_key, hashes.SHA256())
    return Laboratory(root_key, root, key, signer)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: Any,
    runs: timedelta,
    usage: dict[str, bool],
    path: int | None,
) -> x509.CertificateBuilder:
    """A certificate that nobody has signed yet."""
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    none = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(SIGNED_ON - runs)
        .not_valid_after(SIGNED_ON + runs)
        .add_extension(x509.BasicConstraints(ca=path is not None, path_length=path), critical=True)
        .add_extension(x509.KeyUsage(**none, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
