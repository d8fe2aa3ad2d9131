"""What all sections of a request are made from: the base class and the types of values."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

_IDENTIFIER, _DIGEST = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", r"^[0-9a-f]{64}$"
PATTERNS = {
    _IDENTIFIER: "letters, digits and . _ - only, a letter or digit first, 64 at most",
    _DIGEST: "64 hexadecimal digits, letters small",
}
"""What the patterns of settings ask for, in words for messages."""

Identifier: TypeAlias = Annotated[str, Field(pattern=_IDENTIFIER)]
Text: TypeAlias = Annotated[str, Field(min_length=1)]
Digest: TypeAlias = Annotated[str, Field(pattern=_DIGEST)]
PositiveFloat: TypeAlias = Annotated[float, Field(gt=0)]
Fraction: TypeAlias = Annotated[float, Field(gt=0, lt=1)]


class Settings(BaseModel):
    """A section of the request: known keys only, never changed after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


def regular_expression(value: str | None) -> str | None:
    """A pattern that compiles."""
    if value is not None:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression ({error}); mend the pattern") from error
    return value


def refuse_twice(names: list[str], what: str, remedy: str) -> None:
    """Raise ValueError for the first name that stands twice."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"two {what} are called {twice}; {remedy}")
