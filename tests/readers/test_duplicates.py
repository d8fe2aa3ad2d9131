"""One activity in several files (case C44)."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from lumipipe.readers.duplicates import duplicate_groups
from lumipipe.readers.legs import utc_text
from readers.activity_files import START


@dataclass(frozen=True)
class Recorded:
    id: str
    attributes: dict[str, str]
    unit: str = ""
    file: str = ""
    streams: dict[str, object] = field(default_factory=dict)


def ride(name: str, start: float = 0, span: float = 3600, unit: str | None = None, **said: str):
    about = {"start": utc_text(START + start), "span_s": f"{span:g}", "distance_m": "30000"}
    return Recorded(name, about | said, unit or name)


def found(*recordings: Recorded) -> list[list[str]]:
    return [sorted(item.id for item in group) for group in duplicate_groups(recordings)]


def test_copies_form_one_group_and_a_second_ride_stands_alone() -> None:
    copies = [
        ride("original", device="d1"),
        ride("shifted", 1),
        ride("thinned", 2, 3570),
        ride("tcx", 0, 3601, distance_m="30010"),
        ride("gpx", 0, 3600, distance_m="31900", distance_from="positions"),
    ]
    later = ride("later", 300 + 3600)
    groups = found(later, *reversed(copies))
    assert groups == [sorted(item.id for item in copies)]


@pytest.mark.parametrize(
    "other",
    [
        ride("b", 6),
        ride("b", 0, 3680),
        ride("b", device="d2"),
        ride("b", distance_m="20000"),
        ride("b", unit="somebody else"),
        Recorded("b", {}),
        Recorded("b", {"start": "no time", "span_s": "3600"}),
    ],
    ids=["start", "duration", "device", "distance", "unit", "nothing said", "no time"],
)
def test_what_differs_is_another_activity(other: Recorded) -> None:
    assert found(ride("a", device="d1", unit="athlete 1"), other) == []


def test_athletes_of_one_unit_cannot_be_at_two_places() -> None:
    assert found(ride("a", unit="athlete 1"), ride("b", 3, unit="athlete 1")) == [["a", "b"]]
