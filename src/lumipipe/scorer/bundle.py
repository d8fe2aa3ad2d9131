"""A model bundle: what it answers, until when, and for which rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import InputError
from lumipipe.scorer import regression, windows
from lumipipe.scorer.guard import reasons
from lumipipe.scorer.inputs import rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

FORM = 1
_ANSWERS = {"regression": regression.answers, "windows": windows.answers}
_RATE_TOLERANCE = 0.02  # as among the recordings that teach
_DISTANCES = ("t2", "spe", "beyond")


@dataclass(frozen=True)
class Scored:
    """Answers, one a row or window.

    Parameters
    ----------
    columns : dict of str to ndarray
        ``row``, the last row of what is answered, from 0; the model's answers, which are NaN where
        a row is refused; the distances of the guard; and ``refused``, the reason or nothing.
    """

    columns: dict[str, NDArray[Any]]

    @property
    def refused(self) -> int:
        """Number of rows without an answer."""
        return int(np.count_nonzero(self.columns["refused"] != ""))


@dataclass(frozen=True)
class Bundle:
    """A model that scores new rows.

    Parameters
    ----------
    card : dict
        What the bundle answers, from whom it is, and what rows it takes.
    arrays : dict of str to ndarray
        Parameters.
    """

    card: dict[str, Any]
    arrays: dict[str, NDArray[Any]]

    @classmethod
    def load(cls, folder: Path, today: date | None = None) -> Bundle:
        """The bundle in a folder.

        Parameters
        ----------
        folder : Path
            With ``card.json`` and ``arrays.npz``; that they are whole is checked by ``score.py``.
        today : date, optional
            The day in UTC; that of this machine's clock where absent.

        Returns
        -------
        Bundle
            Ready to score.

        Raises
        ------
        InputError
            If it has expired, is of the future, or of another form.
        """
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        if card["lumipipe_bundle"] != FORM:
            raise InputError(str(folder), "is a bundle of another form", "use its own score.py")
        _check_day(card, today or datetime.now(UTC).date(), str(folder))
        with np.load(folder / "arrays.npz", allow_pickle=False) as content:
            return cls(card, {name: content[name] for name in content.files})

    def score(
        self,
        columns: Mapping[str, ArrayLike],
        units: Mapping[str, str],
        rate_hz: float | None = None,
    ) -> Scored:
        """What the model says of rows.

        Parameters
        ----------
        columns : mapping of str to array, shape (row,)
            Readings by name of the channel, NaN where missing. Where the model takes windows, rows
            must be neighbours in time without a gap.
        units : mapping of str to str
            Unit of each column.
        rate_hz : float, optional
            Rows per second; has to be given where the model takes windows of signals.

        Returns
        -------
        Scored
            No answer for rows outside the guard.

        Raises
        ------
        InputError
            If columns or rate do not fit the model, or there are too few rows for a window.
        """
        model = self.card["model"]
        _check_rate(model, rate_hz)
        rows = rows_of(model["channels"], columns, units)
        length = model["window_rows"]
        if len(rows) < length:
            raise InputError(
                "rows", f"there are {len(rows)}, and an answer takes {length}", "give more rows"
            )
        starts = np.arange(0, len(rows) - length + 1, model["hop_rows"], dtype=np.int64)
        found, usable = _ANSWERS[model["kind"]](model, self.arrays, rows, starts)
        distances = {name: found[name] for name in _DISTANCES}
        outside = reasons(self.arrays, distances)
        refused = np.array(
            [
                why if known else regression.MISSING
                for why, known in zip(outside, usable, strict=True)
            ],
            dtype=object,
        )
        answered = refused == ""
        told = {
            name: column
            if name in _DISTANCES
            else np.where(answered, column, "" if column.dtype == object else np.nan)
            for name, column in found.items()
        }
        return Scored({"row": starts + (length - 1), **told, "refused": refused})


def _check_rate(model: Mapping[str, Any], rate_hz: float | None) -> None:
    """Refuse signals at another rate: windows are counted in rows."""
    if not model["is_timed"]:
        return
    wanted = model["rate_hz"]
    if rate_hz is None:
        raise InputError("rate", "is not given", f"say that it is {wanted:g} Hz, if it is")
    if not abs(rate_hz - wanted) <= _RATE_TOLERANCE * wanted:
        raise InputError(
            "rate", f"is {rate_hz:g} Hz, and the model was taught with {wanted:g} Hz", "resample"
        )


def _check_day(card: Mapping[str, Any], today: date, place: str) -> None:
    """Refuse a bundle out of its time."""
    first, last = (date.fromisoformat(card[name]) for name in ("valid_from", "valid_until"))
    if today > last:
        raise InputError(
            place, f"this bundle has expired: valid until {last}", "train again on newer data"
        )
    if today < first:
        raise InputError(
            place, f"this bundle is valid from {first} on, and today is {today}", "set the clock"
        )
