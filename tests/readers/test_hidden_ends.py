"""Positions that leave a reader do not lead to where an activity began or ended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.hidden_ends import metres_between, zone_around
from lumipipe.readers.legs import ActivityOptions, Leg, leg_tables
from lumipipe.readers.privacy import KEY

HIDDEN_M = 150.0
METRES = 111_195.0  # of a degree
START_S = 1.7e9


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "a key of tests, 24 bytes")


def options(**changes: object) -> ActivityOptions:
    asked = {"positions": True, "hide_ends_m": HIDDEN_M, "pseudonyms": "rider"}
    return ActivityOptions.model_validate(asked | changes)


def leg(north_m: np.ndarray, east_m: np.ndarray, home: tuple[float, float] = (64.2, 27.7)) -> Leg:
    """A ride, one point a second, metres from home."""
    latitude = home[0] + north_m / METRES
    longitude = home[1] + east_m / (METRES * np.cos(np.radians(home[0])))
    steps = np.hypot(np.diff(north_m, prepend=north_m[:1]), np.diff(east_m, prepend=east_m[:1]))
    columns = {
        "time": START_S + np.arange(len(north_m), dtype=np.float64),
        "latitude": latitude,
        "longitude": longitude,
        "distance": np.cumsum(steps),
    }
    return Leg(columns, said={"distance_m": f"{steps.sum():.1f}", "elapsed_s": str(len(steps))})


def out_and_back(rng: np.random.Generator, dawdle: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Dawdling at home, 3 km out in some direction, and back another way; metres from home."""
    direction = rng.uniform(0, 2 * np.pi) + np.array([0.0, 0.4])
    out = np.concatenate([np.zeros(dawdle), np.arange(0, 3000, 8.0)])
    along = np.concatenate([out, out[::-1]])
    turned = np.repeat(direction, len(out))
    noise = rng.normal(scale=4.0, size=(2, len(along)))
    return along * np.cos(turned) + noise[0], along * np.sin(turned) + noise[1]


def shown(ride: Leg, **changes: object) -> dict[str, np.ndarray]:
    """The columns that leave."""
    (table,) = leg_tables(Path("a.fit"), [ride], options(**changes))
    return table.columns


def from_home(columns: dict[str, np.ndarray], home: tuple[float, float]) -> np.ndarray:
    """North and east of the visible points, in metres from home, shape (row, 2)."""
    north = (columns["latitude"] - home[0]) * METRES
    east = (columns["longitude"] - home[1]) * METRES * np.cos(np.radians(home[0]))
    both = np.stack([north, east], axis=1)
    return both[np.isfinite(both).all(axis=1)]


def fitted_centre(points: np.ndarray) -> np.ndarray:
    """Centre of the circle through points, by least squares: what an attacker would do."""
    terms = np.column_stack([2 * points, np.ones(len(points))])
    return np.linalg.lstsq(terms, (points**2).sum(axis=1), rcond=None)[0][:2]


@pytest.mark.parametrize("number", range(5))
def test_a_circle_through_the_first_points_of_40_tracks_misses(number: int) -> None:
    home, rng = (64.2, 27.7), np.random.default_rng(number)
    first, naive = [], []
    for _ in range(40):
        ride = leg(*out_and_back(rng), home)
        seen = from_home(shown(ride, pseudonyms=f"rider-{number}"), home)
        assert np.hypot(*seen.T).min() > HIDDEN_M - 20  # noise of the first and last point
        first += [seen[0], seen[-1]]
        plain = from_home(shown(ride, hide_ends_m=0), home)
        naive.append(plain[np.argmax(np.hypot(*plain.T) > 450)])  # a plain circle around home
    assert np.hypot(*fitted_centre(np.array(naive))) < 20  # the attack works where it can
    assert np.hypot(*fitted_centre(np.array(first))) > HIDDEN_M


@settings(max_examples=100)
@given(
    latitude=st.floats(-85, 85),
    longitude=st.floats(-180, 180),
    hidden=st.floats(10, 2000),
    key=st.sampled_from(["a", "b", "c"]),
)
def test_a_place_is_far_from_the_centre_and_from_the_edge(
    latitude: float, longitude: float, hidden: float, key: str
) -> None:
    zone = zone_around(latitude, longitude, hidden, key)
    off = float(metres_between(zone.latitude, zone.longitude, latitude, longitude))
    assert 1.45 * hidden <= off <= 2.55 * hidden
    assert 1.45 * hidden <= zone.radius_m - off <= 2.55 * hidden
    assert zone == zone_around(latitude, longitude, hidden, key)


def test_another_key_and_another_square_give_another_step() -> None:
    zones = {
        zone_around(64.2, 27.7, HIDDEN_M, "a"),
        zone_around(64.2, 27.7, HIDDEN_M, "b"),
        zone_around(64.4, 27.7, HIDDEN_M, "a"),
    }
    steps = {(round(z.latitude % 0.1, 6), round(z.radius_m, 3)) for z in zones}
    assert len(steps) == 3


def test_rows_near_the_ends_and_what_tells_of_them_are_gone() -> None:
    ride = leg(*out_and_back(np.random.default_rng(1)))
    (table,) = leg_tables(Path("a.fit"), [ride], options())
    kept = table.columns["time"]
    assert 0 < len(kept) < len(ride.columns["time"]) - 120  # the dawdling at both ends
    assert table.columns["distance"][0] == 0.0
    assert float(table.attributes["distance_m"]) < float(ride.said["distance_m"]) - 4 * HIDDEN_M
    assert float(table.attributes["elapsed_s"]) == kept[-1] - kept[0]
    assert any("hidden" in note for note in table.notes)


def test_positions_are_hidden_where_the_activity_comes_home_in_between() -> None:
    rng = np.random.default_rng(2)
    rides = [out_and_back(rng) for _ in range(3)]
    north, east = (np.concatenate(parts) for parts in zip(*rides, strict=True))
    columns = shown(leg(north, east))
    assert np.isnan(columns["latitude"]).any()
    assert np.isnan(columns["latitude"]).tolist() == np.isnan(columns["longitude"]).tolist()
    assert np.hypot(*from_home(columns, (64.2, 27.7)).T).min() > HIDDEN_M - 20
    assert np.isfinite(columns["distance"]).all()  # rows in between stay


def test_an_end_that_lies_elsewhere_has_a_zone_of_its_own() -> None:
    away = np.arange(0, 6000, 8.0)
    columns = shown(leg(away, np.zeros(len(away))))
    seen = from_home(columns, (64.2, 27.7))[:, 0]
    assert seen[0] > HIDDEN_M
    assert seen[-1] < away[-1] - HIDDEN_M


def test_an_activity_that_never_leaves_has_no_rows() -> None:
    with pytest.raises(RecordingError, match="has no rows; remove the file, or cut or hide less"):
        shown(leg(np.linspace(0, 100, 50), np.zeros(50)))


def test_rows_without_a_position_at_an_end_are_not_shown() -> None:
    ride = leg(np.arange(0, 6000, 8.0), np.zeros(750))
    ride.columns["latitude"][:300] = np.nan  # 2,400 m without a fix, then the first known place
    columns = shown(ride)
    assert columns["time"][0] > START_S + 300
    nowhere = leg(np.arange(0, 60, 8.0), np.zeros(8))
    nowhere.columns["latitude"][:] = np.nan
    assert len(shown(nowhere)["time"]) == 8  # indoors: there is no place to hide


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"positions": True}, "positions: true shows where activities began; say hide_ends_m"),
        ({"hide_ends_m": 100}, "hide_ends_m is for positions, which stay inside; remove it"),
        ({"positions": True, "hide_ends_m": 100}, "hide_ends_m needs a secret key; name one"),
        ({"positions": True, "hide_ends_m": -1}, "greater than or equal to 0"),
    ],
)
def test_positions_need_an_answer_about_the_ends(asked: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ActivityOptions.model_validate(asked)


def test_without_the_key_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY)
    with pytest.raises(InputError, match="there is no secret key of 16 bytes"):
        shown(leg(*out_and_back(np.random.default_rng(1))))
