"""What is known about recordings, and how they are told apart."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from lumipipe.config.settings import Settings, Text, regular_expression


class Label(Settings):
    """What is known about a recording, or about each of its samples."""

    column: str | None = None
    """Column with a label for each sample; where `file` is given, its column with the labels."""
    attribute: str | None = None
    """Attribute of the recording: a named group of `pattern` or one that the reader gives."""
    value: str | None = None
    """One value for all recordings of this source."""
    file: Text | None = None
    """CSV file beside the request with a label in each row."""
    by: Text | None = None
    """`recording`, `unit` or attribute that each row names; without it they go by order."""
    key: Text | None = None
    """Column of `file` that names it; the one called as in `by` where absent."""
    otherwise: Text | None = None
    """Label of recordings that no row of `file` is about; refused where absent."""
    spare: Literal["refuse", "leave_out"] = "refuse"
    """What becomes of rows of `file` that are about no recording."""
    read: dict[str, Any] = {}
    """Options of the reader csv for `file`; without `by` and `column` it has no header."""
    meaning: Text
    """What the label says and who or what set it."""
    labelled_by: Text | None = None
    """Role of who set it, such as fitter; no name of a person."""
    known_wrong: Annotated[int, Field(ge=0)] | None = None
    """How many labels are known to be wrong."""
    values: dict[str, str] = {}
    """Value in the file to the name used in the report."""

    @property
    def is_of_samples(self) -> bool:
        """Whether the label may change within a recording."""
        return self.file is None and self.column is not None

    @model_validator(mode="after")
    def _one_origin(self) -> Label:
        given = [self.file or self.column, self.attribute, self.value]
        if sum(item is not None for item in given) != 1:
            raise ValueError(
                "the label has no single origin; give column, attribute, value or file"
            )
        set_ = self.model_fields_set
        needs = {"by": "file", "spare": "file", "read": "file", "key": "by", "otherwise": "by"}
        for name, other in needs.items():
            if name in set_ and getattr(self, other) is None:
                raise ValueError(f"{name} is set but {other} is not; give both or none")
        return self


class Recordings(Settings):
    """How the recordings of a source are told apart."""

    column: Text | None = None
    """Column that names the recording of each row; where absent, a table is one recording."""
    pattern: str | None = None
    """Regular expression on the file's name; its named groups become attributes."""
    id: str = "{name}"
    """Identity of a recording, built from attributes, such as {person}-{set:03}."""
    unit: str = "{name}"
    """Machine, plant or pseudonymous person, built from attributes."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        return regular_expression(value)

    @model_validator(mode="after")
    def _one_attribute_a_name(self) -> Recordings:
        if self.column is not None and self.column in re.compile(self.pattern or "").groupindex:
            raise ValueError(
                f"pattern and column both give the attribute {self.column}; rename the group"
            )
        return self
