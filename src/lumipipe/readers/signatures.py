"""Signatures of XML (XAdES): whether they verify, by whom and when they were made.

A signature is verified as of the time that it was made, by its own signed word: the certificates of
laboratories run for few years, and their results are used for longer. No time stamp of a third
party is asked for.

References
----------
ETSI EN 319 132-1 (XAdES); W3C, XML Signature Syntax and Processing 1.1.
"""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import UTC, datetime
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple

from lumipipe.errors import InputError
from lumipipe.language import finding
from lumipipe.readers.compressed import shown
from lumipipe.readers.libraries import library

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_KEYS = "cryptography"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_TIME = "{*}SigningTime"
_REFERENCE = re.compile(r"for reference \d+ \((.*)\)")
_LISTS = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)
_LEAVE = "do not use it; ask the laboratory for the certificate"


class Signature(NamedTuple):
    """A signature that verifies, both the document and what is said of the signing."""

    signer: str
    """Name in the certificate of who signed."""
    time: datetime
    """When, in UTC, by its own word; its certificate held then."""
    is_trusted: bool
    """Whether a trusted certificate leads to the signer."""
    revocations: datetime | None
    """Of when the list of revocations is that does not have the signer; None without one."""


def signature_words(signature: Signature | None) -> str:
    """What a report says of a signature, or of there being none: findings, the first in short.

    >>> signature_words(Signature("Lab A", datetime(2022, 3, 1, tzinfo=UTC), True, None))
    'signature verified as of 2022-03-01 00:00:00 UTC; signed by Lab A; revocation not checked'
    """
    if signature is None:
        return finding("not signed")
    time = f"{signature.time:%Y-%m-%d %H:%M:%S} UTC"
    verified = (
        finding(f"signature verified as of {time}")
        if signature.is_trusted
        else finding(f"signature fits as of {time}, its signer not compared with trusted ones")
    )
    revocation = (
        finding("revocation not checked")
        if signature.revocations is None
        else finding(f"not revoked by the list of {signature.revocations:%Y-%m-%d}")
    )
    return "; ".join([verified, finding(f"signed by {signature.signer}"), revocation])


class _Trusted(NamedTuple):
    """What the user trusts."""

    certificates: list[Any]
    lists: list[Any]


def signed_part(file: Path, root: Any, trust: Sequence[Path]) -> tuple[Any, Signature | None]:
    """What of a document is signed, and by whom.

    Parameters
    ----------
    file : Path
        For messages.
    root : lxml.etree.Element
        The document; its signature, if any, is a child of it.
    trust : sequence of Path
        Files of certificates (PEM or DER) and of lists of revocations (CRL, PEM). Where none is
        given, the signature is verified with the certificate in it, which anybody could have made.

    Returns
    -------
    lxml.etree.Element
        The document as it was signed; as it is where it is not signed.
    Signature or None
        None where it is not signed.

    Raises
    ------
    InputError
        If a digest or the signature does not fit, no trusted certificate leads to the signer, the
        signer's certificate did not hold when it signed or was revoked, or trusted certificates
        are given and nothing is signed.
    """
    found = root.findall(f"{_DS}Signature")
    if not found:
        if trust:
            raise InputError(shown(file), "is not signed, and trust is given", _LEAVE)
        return root, None
    if len(found) > 1:
        raise InputError(shown(file), f"has {len(found)} signatures", _LEAVE)
    library(file, "signxml", "signxml", "dcc")
    trusted = _trusted(trust)
    time = _time_of(file, found[0])
    embedded = _embedded(file, found[0])
    signer = _name(embedded[0])
    results = _verified(file, root, trusted.certificates, embedded, time)
    parts = [one.signed_xml for one in results if one.signed_xml is not None]
    documents = [part for part in parts if part.tag == root.tag]
    times = {_time_of(file, part) for part in parts if part.tag.endswith("}SignedProperties")}
    if len(documents) != 1 or times != {time}:
        problem = "its signature is not about the whole document and its own time"
        raise InputError(shown(file), problem, _LEAVE)
    revocations = _not_revoked(file, trusted, embedded)
    return documents[0], Signature(signer, time, bool(trust), revocations)


def _verified(
    file: Path, root: Any, trusted: Sequence[Any], embedded: Sequence[Any], time: datetime
) -> list[Any]:
    """What signxml returns of each reference: the document, and what is said of the signing."""
    form = library(file, f"{_KEYS}.hazmat.primitives.serialization", _KEYS, "dcc").Encoding.PEM
    xades = library(file, "signxml.xades", "signxml", "dcc")
    failed = library(file, "signxml.exceptions", "signxml", "dcc")
    signer = embedded[0]
    since, until = signer.not_valid_before_utc, signer.not_valid_after_utc
    told = f"its signature by {_name(signer)} of {time:%Y-%m-%d %H:%M:%S} UTC does not verify: "
    if not since <= time <= until:
        told += f"the signer's certificate ran from {since:%Y-%m-%d} to {until:%Y-%m-%d}"
        raise InputError(shown(file), told, _LEAVE)
    # Any number of references: which of them there must be is the caller's matter.
    config = xades.XAdESSignatureConfiguration(
        location="./", expect_references=True, verification_time=time
    )
    with NamedTemporaryFile(suffix=".pem") as pem:
        pem.write(b"".join(one.public_bytes(form) for one in trusted))
        pem.flush()
        by = {"ca_pem_file": pem.name} if trusted else {"x509_cert": signer}
        try:
            found: list[Any] = xades.XAdESVerifier().verify(root, expect_config=config, **by)
        except failed.InvalidCertificate as error:
            told += "no trusted certificate leads to the signer"
            raise InputError(shown(file), told, f"{_LEAVE}, or trust its issuer") from error
        except failed.InvalidDigest as error:
            told += f"the digest of {_part(str(error))} differs: it was changed after it was signed"
            raise InputError(shown(file), told, _LEAVE) from error
        except failed.InvalidSignature as error:
            told += f"its value does not fit ({error})"
            raise InputError(shown(file), told, _LEAVE) from error
    return found


def _part(words: str) -> str:
    """Of what a digest differs, from the words of signxml.

    >>> _part("Digest mismatch for reference 0 ()"), _part("Digest mismatch for reference 1 (#x)")
    ('the document', 'its part #x')
    """
    found = _REFERENCE.search(words)
    if found is None:
        return "the signer's certificate"
    return "the document" if found[1] in {"", "None"} else f"its part {found[1]}"


def _trusted(files: Sequence[Path]) -> _Trusted:
    """Certificates and lists of revocations in PEM files."""
    if not files:
        return _Trusted([], [])
    x509 = library(files[0], f"{_KEYS}.x509", _KEYS, "dcc")
    found = _Trusted([], [])
    for file in files:
        try:
            raw = file.read_bytes()
            lists = [x509.load_pem_x509_crl(text) for text in _LISTS.findall(raw)]
            if b"-----BEGIN" not in raw:
                found.certificates.append(x509.load_der_x509_certificate(raw))
            elif b"BEGIN CERTIFICATE" in raw or not lists:
                found.certificates.extend(x509.load_pem_x509_certificates(raw))
            found.lists.extend(lists)
        except OSError as error:
            told = f"cannot be read ({error.strerror})"
            raise InputError(shown(file), told, "check the path") from error
        except ValueError as error:
            told = "holds neither certificates (PEM, DER) nor a list of revocations (PEM)"
            remedy = "ask the laboratory for its certificates"
            raise InputError(shown(file), told, remedy) from error
    if not found.certificates:
        raise InputError(shown(files[0]), "holds no certificate", "trust one that issued, too")
    return found


def _embedded(file: Path, signature: Any) -> list[Any]:
    """The certificates that a signature brings, that of the signer first."""
    x509 = library(file, f"{_KEYS}.x509", _KEYS, "dcc")
    texts = [one.text or "" for one in signature.iter(f"{_DS}X509Certificate")]
    found = [x509.load_der_x509_certificate(b64decode(text)) for text in texts]
    issuers = {one.issuer for one in found if one.issuer != one.subject}
    found.sort(key=lambda one: one.subject in issuers)
    if not found:
        raise InputError(shown(file), "its signature names no certificate", _LEAVE)
    return found


def _time_of(file: Path, element: Any) -> datetime:
    """When a signature says that it was made."""
    text = element.findtext(f".//{_TIME}")
    if text is None:
        raise InputError(shown(file), "its signature has no signing time", _LEAVE)
    told = datetime.fromisoformat(text.strip())
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)


def _not_revoked(file: Path, trusted: _Trusted, embedded: Sequence[Any]) -> datetime | None:
    """Of when the list is that does not have the signer; None where no list is by its issuer."""
    dates = []
    for listed in trusted.lists:
        known = [*trusted.certificates, *embedded]
        issuers = [one for one in trusted.certificates if one.subject == listed.issuer]
        if not any(listed.is_signature_valid(one.public_key()) for one in issuers):
            told = "a list of revocations is signed by none of the trusted certificates"
            raise InputError(shown(file), told, "trust the certificate of who made the list")
        for one in (each for each in known if each.issuer == listed.issuer):
            entry = listed.get_revoked_certificate_by_serial_number(one.serial_number)
            if entry is not None:
                told = f"the certificate of {_name(one)} was revoked on "
                raise InputError(shown(file), f"{told}{entry.revocation_date_utc:%Y-%m-%d}", _LEAVE)
        if embedded[0].issuer == listed.issuer:
            dates.append(listed.last_update_utc)
    return max(dates, default=None)


def _name(certificate: Any) -> str:
    """The common name of whom a certificate is for."""
    names = [one.value for one in certificate.subject if one.rfc4514_attribute_name == "CN"]
    return str(names[0] if names else certificate.subject.rfc4514_string())
