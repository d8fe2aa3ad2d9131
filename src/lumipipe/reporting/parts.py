"""What every declared piece of a result shares: known keys, finite numbers, printable text.

The result itself is in `lumipipe.reporting.result`, figures in `lumipipe.reporting.figures`.
"""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

# Characters that XML 1.0 forbids, and those that turn the direction of the text after them.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def printable(text: str) -> str:
    """`text` in which each character that a report cannot carry is the replacement character."""
    return _UNPRINTABLE.sub("\ufffd", text)


Text: TypeAlias = Annotated[str, AfterValidator(printable)]
Sentence: TypeAlias = Annotated[Text, Field(min_length=1)]


class Part(BaseModel):
    """A piece of a result: known keys only, finite numbers only, never changed after making."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Interval(Part):
    """A number with the interval that belongs to it."""

    value: float | None
    """The number; null where it is not available."""
    lower: float | None = None
    """Lower end of the interval."""
    upper: float | None = None
    """Upper end of the interval."""

    @model_validator(mode="after")
    def _ordered(self) -> Interval:
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError("the interval does not rise; give lower <= upper")
        return self


Cell: TypeAlias = bool | int | float | Interval | Text | None
"""What may stand in a cell of a table: a number, a number with its interval, a text or nothing."""
