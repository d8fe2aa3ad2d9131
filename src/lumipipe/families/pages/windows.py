"""Facts of the classifier behind a table of windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lumipipe.families.pages.interface import Subject


def classifier_card(subject: Subject) -> dict[str, Any]:
    """The card of the classifier that made the table of windows."""
    card = subject.model.card
    found: dict[str, Any] = card.get("classifiers", {}).get("classifier", card)
    return found


def window_rows_of(subject: Subject) -> int:
    """Rows of a window."""
    return int(classifier_card(subject)["window_rows"])
