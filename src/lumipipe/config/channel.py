"""Channels of a source: one measured quantity each, its sensor and its certificate."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, ValidationInfo, field_validator, model_validator

from lumipipe.config.settings import Digest, PositiveFloat, Settings, Text, regular_expression
from lumipipe.language import finding

NOT_CHARACTERISED: Final = "not characterised"
"""What is said of a sensor or a certificate that nobody knows."""
_NONE: Final = "none"


def member_name(group: str, column: str) -> str:
    """Name of one of the channels that a channel with `columns` stands for.

    >>> member_name("absorbance", "950.0")
    'absorbance[950.0]'
    """
    return f"{group}[{column}]"


class Certificate(Settings):
    """A certificate of calibration, and from when until when it holds.

    Of a digital one, `file` tells all of it. What is stated besides is compared with the file;
    days may be stated that are narrower. What the file tells is filled in when a request is
    loaded (`lumipipe.readers.certificatefiles`).
    """

    id: Text = ""
    """Its identity, such as dcc-0417; of a `file` the file tells it."""
    file: Text | None = None
    """Digital calibration certificate (DCC, XML), from the folder of the request."""
    trust: list[Text] = []
    """Files of certificates (PEM, DER) to one of which the signature of `file` must lead, and
    lists of revocations; its signer is not compared with anything where absent."""
    result: Text | None = None
    """Which result of `file` is meant, by its name or refType, where several would do."""
    item: Text | None = None
    """Serial number or other identity of the instrument, which `file` must be about."""
    sha256: Digest | None = None
    """Digest of `file`; found where it is not stated."""
    signature: Text | None = None
    """What the signature of `file` says: found in it, never stated."""
    valid_from: date | None = None
    """First day on which it holds."""
    valid_until: date | None = None
    """Last day on which it holds."""
    laboratory: Text | None = None
    """Laboratory that calibrated."""
    u: PositiveFloat | None = None
    """Standard uncertainty (k = 1) that it states, in `unit`."""
    expanded: PositiveFloat | None = None
    """Expanded uncertainty that it states, in `unit`; instead of `u`, together with `k`."""
    k: PositiveFloat | None = None
    """Coverage factor that `expanded` was multiplied with."""
    unit: Text | None = None
    """Unit of the uncertainty; the channel's `unit` where absent."""

    @model_validator(mode="after")
    def _ordered(self) -> Certificate:
        first, last = self.valid_from, self.valid_until
        if first is not None and last is not None and last < first:
            raise ValueError("valid_until lies before valid_from; correct one of them")
        return self

    @model_validator(mode="after")
    def _has_identity(self) -> Certificate:
        if not self.id and self.file is None:
            raise ValueError("has neither id nor file; give one of them")
        for name in ("trust", "result", "item", "sha256"):
            if getattr(self, name) and self.file is None:
                raise ValueError(f"{name} is about a file; give file, too")
        return self

    @model_validator(mode="after")
    def _one_uncertainty(self) -> Certificate:
        if (self.expanded is None) != (self.k is None):
            raise ValueError("expanded and k belong together; give both, or u alone")
        if self.u is not None and self.expanded is not None:
            raise ValueError("u and expanded say the same twice; give one of the two")
        if self.unit is not None and self.standard_u is None:
            raise ValueError("unit is that of an uncertainty; give u, or expanded and k")
        return self

    @property
    def standard_u(self) -> float | None:
        """Standard uncertainty that it states, k divided out; None where it states none.

        >>> Certificate(id="dcc-1", expanded=0.3, k=2.0).standard_u
        0.15
        """
        if self.expanded is not None and self.k is not None:
            return self.expanded / self.k
        return self.u

    @property
    def has_validity(self) -> bool:
        """Whether it states from or until when it holds."""
        return self.valid_from is not None or self.valid_until is not None

    def problem_on(self, first: date, last: date) -> str | None:
        """Why it does not hold on all days from one to another; None where it does.

        >>> from datetime import date
        >>> dcc = Certificate(id="dcc-1", valid_until=date(2026, 3, 31))
        >>> dcc.problem_on(date(2026, 1, 1), date(2026, 3, 31)) is None
        True
        >>> dcc.problem_on(date(2026, 1, 1), date(2026, 4, 1))
        'certificate dcc-1 holds until 2026-03-31, the data go on until 2026-04-01'
        """
        if self.valid_until is not None and last > self.valid_until:
            return finding(
                f"certificate {self.id} holds until {self.valid_until}, the data go on until {last}"
            )
        if self.valid_from is not None and first < self.valid_from:
            return finding(
                f"certificate {self.id} holds from {self.valid_from} on, the data begin on {first}"
            )
        return None


def _named(value: Any) -> Any:
    """What stands for a certificate: its block, its identity or file alone, or `none`."""
    if value is None:
        return _NONE
    if not (isinstance(value, str) and _is_identity(value)):
        return value
    return Certificate(file=value) if value.endswith(".xml") else Certificate(id=value)


def _is_identity(text: str) -> bool:
    return bool(text) and text not in {_NONE, NOT_CHARACTERISED}


class Channel(Settings):
    """One measured quantity of a stream."""

    name: Text
    """Name by which the analysis knows the channel."""
    column: str | None = None
    """Name of the column or variable in the file; the channel's name where absent."""
    columns: str | None = None
    """Regular expression: each column whose whole name matches is a channel NAME[COLUMN]."""
    axis: str | None = None
    """Quantity and unit of the numbers that `columns` are called by, such as wavenumber, 1/cm."""
    quantity: Text
    """What is measured, such as acceleration."""
    unit: Text
    """Unit of the numbers in the file, such as m/s2; `1` for a plain number."""
    range: tuple[float, float] | None = None
    """Lowest and highest credible value, in `unit`."""
    resolution: PositiveFloat | None = None
    """Smallest step of the instrument, in `unit`."""
    scale: PositiveFloat | None = None
    """Typical amplitude known before the data, in `unit`."""
    sensor: Text = NOT_CHARACTERISED
    """Identity of the sensor."""
    mounting: Text | None = None
    """How the sensor is fixed, such as stud; vibration depends on it."""
    accept: Literal["not characterised"] | None = None
    """Said beside `certificate: none`: its readings are used all the same."""
    certificate: Annotated[
        Certificate | Literal["none", "not characterised"], BeforeValidator(_named)
    ] = NOT_CHARACTERISED
    """Certificate of calibration: {id, valid_from, valid_until, laboratory, expanded, k}, or u for
    the two; {file, trust, result, item} of a digital one; its identity or its FILE.xml alone, or
    none."""
    gravity: Literal["included", "removed"] | None = None
    """Of an acceleration: whether a sensor at rest shows gravity; not stated where absent."""
    invalid: list[float] = []
    """Numbers that mean "no reading" in this file."""
    may_be_absent: bool = False
    """Whether a recording may be without any reading of it, such as a session without a strap."""

    @field_validator("range")
    @classmethod
    def _ordered(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not value[0] < value[1]:
            raise ValueError("the range does not rise; write [lowest, highest]")
        return value

    @field_validator("certificate")
    @classmethod
    def _accepted(cls, value: Certificate | str, known: ValidationInfo) -> Certificate | str:
        accepts = known.data.get("accept") is not None
        if value == _NONE and not accepts:
            raise ValueError(
                "is none, and nobody accepts that; name the certificate, or add "
                f"accept: {NOT_CHARACTERISED}"
            )
        if isinstance(value, Certificate) and accepts:
            raise ValueError("is there, and accept is for a channel without; take accept out")
        return value

    @field_validator("gravity")
    @classmethod
    def _of_acceleration(cls, value: str | None, known: ValidationInfo) -> str | None:
        if value is not None and known.data.get("quantity") != "acceleration":
            raise ValueError("is about accelerations; take gravity out")
        return value

    @field_validator("columns")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        return regular_expression(value)

    @model_validator(mode="after")
    def _one_or_many(self) -> Channel:
        if self.columns is not None and self.column is not None:
            raise ValueError("column names one, columns many; give one of the two")
        if self.axis is not None and self.columns is None:
            raise ValueError("axis says what many columns are called by; give columns, too")
        return self

    @property
    def certified(self) -> str:
        """Identity of the certificate, or that there is none."""
        known = self.certificate
        return known.id if isinstance(known, Certificate) else NOT_CHARACTERISED
