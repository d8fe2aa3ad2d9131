"""What an authority asks that only the request can say: of emissions, ambient air and carbon."""

from __future__ import annotations

import datetime as dt

from lumipipe.config import PositiveFloat, Settings, Text


class LimitValue(Settings):
    """The value that must not be passed."""

    value: PositiveFloat
    """The limit, in the unit of what is measured."""
    averaging: Text
    """Over what it is averaged, such as one day."""
    source: Text
    """The permit or act that sets it, with its edition."""
    checked_by: Text | None = None
    """Who compared it with that; the report says so where nobody has."""
    pollutant: Text | None = None
    """Name of the pollutant in the table of rules, such as NO2, by which the allowed share of the
    95 % interval is found."""


class Parallel(Settings):
    """A parallel measurement by a laboratory."""

    date: dt.date
    """Day, or first day."""
    laboratory: Text
    """Who measured."""
    method: Text
    """Standard or instrument."""
    runs: int | None = None
    """Runs that were compared."""
    outcome: Text = "not stated"
    """What it found, such as a bias factor."""


class ModelChange(Settings):
    """A change of the model or of what measures."""

    date: dt.date
    """Day."""
    what: Text
    """What changed."""


class Audited(Settings):
    """What an authority's page shows beside the figures; nothing of it is needed."""

    limit: LimitValue | None = None
    """The limit value."""
    parallel: list[Parallel] = []
    """Parallel measurements."""
    last_audit: dt.date | None = None
    """Day of the last audit."""
    model_changes: list[ModelChange] = []
    """Changes since the first model."""
    raw_data_kept: Text | None = None
    """How long, and where, raw data are kept."""
    contact_ref: Text | None = None
    """Whom to ask, as a function or a reference; no personal address."""
