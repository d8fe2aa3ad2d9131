"""Sections `requester` and `approver`: who asks and who answers for it, as roles."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, field_validator

from lumipipe.config.settings import Settings, Text


def _checked(orcid: str) -> str:
    """An ORCID whose last character is that of ISO 7064, MOD 11-2, of the others.

    >>> _checked("0000-0002-1825-0097")
    '0000-0002-1825-0097'
    """
    if not re.fullmatch(r"(\d{4}-){3}\d{3}[\dX]", orcid):
        raise ValueError(f"{orcid} is no ORCID; write it like 0000-0002-1825-0097")
    total = 0
    for digit in orcid[:-1].replace("-", ""):
        total = 2 * (total + int(digit))
    wanted = "0123456789X"[(12 - total % 11) % 11]
    if orcid[-1] != wanted:
        raise ValueError(f"{orcid} is no ORCID: its last character would be {wanted}; mend it")
    return orcid


Orcid: TypeAlias = Annotated[str, AfterValidator(_checked)]


def _without_address(value: str) -> str:
    if "@" in value:
        raise ValueError("holds an e-mail address; write the role, and a reference such as crm-118")
    return value


class Requester(Settings):
    """Who asks. A request goes where the data go, so it holds no person's e-mail address."""

    organisation: Text
    """The organisation."""
    role: Text | None = None
    """Role of the person in it, such as maintenance manager."""
    contact_ref: Text | None = None
    """Where the organisation's own register has the person, such as crm-118."""

    @field_validator("organisation", "role", "contact_ref")
    @classmethod
    def _no_address(cls, value: str | None) -> str | None:
        return None if value is None else _without_address(value)


class Approver(Settings):
    """Who answers for the analysis: read it, and lets it go to those who act on it."""

    role: Text
    """Role, such as doctoral researcher; no e-mail address."""
    orcid: Orcid | None = None
    """The person's ORCID, such as 0000-0002-1825-0097."""

    @field_validator("role")
    @classmethod
    def _no_address(cls, value: str) -> str:
        return _without_address(value)

    def __str__(self) -> str:
        """As a report shows it."""
        return self.role if self.orcid is None else f"{self.role}, ORCID {self.orcid}"
