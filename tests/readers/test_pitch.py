"""Player tracking: metres from the centre, players without names, hostile metadata."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers import READERS
from lumipipe.readers.privacy import KEY, pseudonym

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.readers.tables import Table

kloppy = pytest.importorskip("kloppy", reason="tracking is the extra team-tracking")

PLAYER = (
    "<Player><PlayerId>{id}</PlayerId><FirstName>Aino</FirstName><LastName>Example</LastName>"
    "<JerseyNo>{number}</JerseyNo><StartFrameCount>100</StartFrameCount>"
    "<EndFrameCount>300</EndFrameCount></Player>"
)
TEAM = (
    "<{side}><LongName>Club {side}</LongName><ShortName>C</ShortName><TeamId>{id}</TeamId>"
    "<Players>{players}</Players></{side}>"
)


def tracab(folder: Path, lines: list[str], head: str = "") -> Path:
    """A match with two periods of frames 100 to 102 and 200 to 201, two players a side."""
    teams = "".join(
        TEAM.format(
            side=side,
            id=at,
            players="".join(PLAYER.format(id=1000 * at + n, number=90 + n) for n in (1, 2)),
        )
        for at, side in ((1, "HomeTeam"), (2, "AwayTeam"))
    )
    periods = (
        '<period iId="1" iStartFrame="100" iEndFrame="102"/>'
        '<period iId="2" iStartFrame="200" iEndFrame="201"/>'
    )
    (folder / "meta.xml").write_text(
        f'{head}<TracabMetaData sVersion="1.0"><match iId="1" dtDate="2023-12-15 20:32:20" '
        'iFrameRateFps="25" fPitchXSizeMeters="105.00" fPitchYSizeMeters="68.00" '
        f'fTrackingAreaXSizeMeters="x" fTrackingAreaYSizeMeters="x">{periods}</match>'
        f"{teams}</TracabMetaData>",
        encoding="utf-8",
    )
    file = folder / "match.dat"
    file.write_text("\n".join([*lines, ""]), encoding="ascii")
    return file


def frame(number: int, *, x: int = 0, alive: bool = True) -> str:
    """A line: home players 91 and 92, away player 91, and the ball; in cm."""
    seen = [(1, 91, x, 200), (1, 92, -x, 0), (0, 91, 5250, 3400)]
    players = "".join(f"{side},{at},{no},{a},{b},1.50;" for at, (side, no, a, b) in enumerate(seen))
    return f"{number}:{players}:{x + 100},-300,25,0.00,H,{'Alive' if alive else 'Dead'};:"


def epts(folder: Path, separators: str = ":;,", name: str = "frameCount") -> Path:
    """A match with two periods of two frames, a player a side, and the ball; nine fields a line."""
    ends = {"first_half_start": 1, "first_half_end": 2, "second_half_start": 5}
    told = "".join(
        f"<ProviderParameter><Name>{key}</Name><Value>{value}</Value></ProviderParameter>"
        for key, value in {**ends, "second_half_end": 6}.items()
    )
    teams = "".join(f'<Team id="{side}"><Name>Club {side}</Name></Team>' for side in "AB")
    players = "".join(
        f'<Player id="P_{side}" teamId="{side}"><Name>Aino Example</Name>'
        "<ShirtNumber>91</ShirtNumber></Player>"
        for side in "AB"
    )
    sensors = "".join(
        f'<Sensor id="{sensor}"><Name>n</Name><Channels>'
        + "".join(
            f'<Channel id="{at}"><Name>{at}</Name><Unit>{unit}</Unit></Channel>' for at in channels
        )
        + "</Channels></Sensor>"
        for sensor, channels, unit in (("position", "xy", "normalized"), ("speed", "s", "kph"))
    )
    channels = "".join(
        f'<PlayerChannel channelId="{at}" id="{side}{at}" playerId="P_{side}"/>'
        for side in "AB"
        for at in "xys"
    )
    first, second, third = separators
    fields = "".join(
        f'<SplitRegister separator="{third}">'
        + "".join(f'<PlayerChannelRef playerChannelId="{side}{at}"/>' for at in "xys")
        + "</SplitRegister>"
        for side in "AB"
    )
    ball = "".join(f'<BallChannelRef channelId="{at}"/>' for at in "xy")
    (folder / "match.xml").write_text(
        "<main><Metadata><GlobalConfig><ProviderName>Metrica Sports</ProviderName>"
        f"<FrameRate>25</FrameRate><ProviderGlobalParameters>{told}</ProviderGlobalParameters>"
        "</GlobalConfig><Sessions><Session><MatchParameters>"
        '<Score idLocalTeam="A" idVisitingTeam="B"><LocalTeamScore/><VisitingTeamScore/></Score>'
        "</MatchParameters><FieldSize><Width>105</Width><Height>68</Height></FieldSize></Session>"
        f"</Sessions><Teams>{teams}</Teams><Players>{players}</Players><Devices><Device>"
        f"<Sensors>{sensors}</Sensors></Device></Devices><PlayerChannels>{channels}"
        "</PlayerChannels></Metadata><DataFormatSpecifications>"
        f'<DataFormatSpecification startFrame="1" endFrame="9" separator="{first}">'
        f'<StringRegister name="{name}"/><SplitRegister separator="{second}">{fields}'
        f'</SplitRegister><SplitRegister separator="{third}">{ball}</SplitRegister>'
        "</DataFormatSpecification></DataFormatSpecifications></main>",
        encoding="utf-8",
    )
    file = folder / "match.txt"
    lines = (f"{at}:0.5,0.25,{at * 3.6};0.75,NaN,NaN:0.5,0.5" for at in (1, 2, 5, 6))
    file.write_text("\n".join([*lines, ""]), encoding="ascii")
    return file


def load(file: Path, form: str = "tracab", **options: Any) -> list[Table]:
    """The tables of a file."""
    options = {"metadata": "meta.xml", **options}
    reader = READERS[form]
    return list(reader.read(file, reader.Options.model_validate(options)))


FRAMES = [*(frame(100 + at, x=at) for at in range(3)), frame(150), frame(200, alive=False)]


def test_each_period_is_a_table_in_metres_from_the_centre(tmp_path: Path) -> None:
    first, second = load(tracab(tmp_path, FRAMES))
    assert (first.name, second.name) == ("match-1", "match-2")
    np.testing.assert_allclose(first.columns["time"], [0, 0.04, 0.08])
    np.testing.assert_allclose(first.columns["home-01_x"], [0, 0.01, 0.02], atol=1e-15)
    np.testing.assert_allclose(first.columns["home-01_y"], 2.0)
    np.testing.assert_allclose(first.columns["away-01_x"], 52.5)
    np.testing.assert_allclose(first.columns["ball_z"], 0.25)
    assert first.columns["ball_alive"].tolist() == [1, 1, 1]
    assert second.columns["ball_alive"].tolist() == [0]
    assert "away-02_x" not in first.columns  # was not on the pitch
    assert first.attributes["unit:home-01_x"] == "m"
    assert first.attributes["unit:home-01_speed"] == "unknown"
    assert first.attributes["rate_hz"] == "25"
    assert first.notes == ("1 frames outside the periods were left out",)


def test_players_have_no_names_and_pseudonyms_need_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tracab(tmp_path, FRAMES)
    monkeypatch.setenv(KEY, "a key of more than sixteen bytes")
    plain, named = load(file)[0], load(file, pseudonyms="club")[0]
    assert not [key for key in plain.attributes if key.startswith("player:")]
    assert named.attributes["player:home-02"] == pseudonym("1002", "club")
    said = str((named.attributes, list(named.columns), named.notes, named.name))
    for word in ("Aino", "Example", "Club", "2023", "1002", "91", "92"):
        assert word not in said


def test_hostile_or_missing_metadata(tmp_path: Path) -> None:
    file = tracab(tmp_path, FRAMES, head='<!DOCTYPE x [<!ENTITY a "b">]>')
    with pytest.raises(RecordingError, match="declares a document type or entities"):
        load(file)
    with pytest.raises(InputError, match=r"no metadata other\.xml lie there"):
        load(file, metadata="other.xml")
    reader = READERS["tracab"]
    options = reader.Options.model_validate({"metadata": "meta.xml"})
    assert options.beside(file) == [tmp_path / "meta.xml"]
    link = tmp_path / "links/match.dat"
    link.parent.mkdir()
    link.symlink_to(file)
    assert options.beside(link) == [tmp_path / "meta.xml"]


def test_epts_in_metres_from_the_centre(tmp_path: Path) -> None:
    first, second = load(epts(tmp_path), "epts", metadata="match.xml")
    assert (first.name, second.name) == ("match-1", "match-2")
    np.testing.assert_allclose(first.columns["home-01_x"], 0.0, atol=1e-12)
    np.testing.assert_allclose(first.columns["home-01_y"], 0.25 * 68)
    np.testing.assert_allclose(first.columns["home-01_speed"], [1.0, 2.0])
    np.testing.assert_allclose(first.columns["away-01_x"], 0.25 * 105)


@pytest.mark.parametrize("separators", ["::,", ":;:", ".;,", ":;;"])
def test_separators_that_would_make_a_pattern_are_refused(tmp_path: Path, separators: str) -> None:
    with pytest.raises(RecordingError, match="part a line by other than"):
        load(epts(tmp_path, separators), "epts", metadata="match.xml")
    # Other signs than the usual on each level are no harm.
    assert load(epts(tmp_path, ":;,"), "epts", metadata="match.xml")


def test_names_that_would_make_a_pattern_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="by other than letters and digits"):
        load(epts(tmp_path, name="a&gt;b)(?P&lt;c"), "epts", metadata="match.xml")


def test_a_salvaged_match_finds_its_metadata(tmp_path: Path) -> None:
    """Although the copy of what is whole lies in another folder."""
    file = tracab(tmp_path, FRAMES)
    file.write_bytes(file.read_bytes()[:-5])
    (table,) = load(file, salvage=True)
    assert len(table.columns["time"]) == 3
    assert "its last line is cut short" in table.attributes["salvaged"]


@pytest.mark.parametrize("lines", [["not a frame"], [frame(100)[:30]], [frame(150)], [""]])
def test_damaged_tracking_is_refused(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(RecordingError) as error:
        load(tracab(tmp_path, lines))
    assert "\n" not in str(error.value)


def test_the_library_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kloppy", None)
    monkeypatch.setitem(sys.modules, "kloppy.tracab", None)
    with pytest.raises(InputError, match=r"needs kloppy; install lumipipe\[team-tracking\]"):
        load(tracab(tmp_path, FRAMES))


@pytest.mark.real
def test_positions_of_the_real_files_are_those_that_the_library_turns(real_data: Path) -> None:
    from kloppy import metrica  # noqa: PLC0415

    folder = real_data / "team-gps/tracking"
    file, metadata = folder / "epts_metrica_tracking.txt", folder / "epts_metrica_metadata.xml"
    first, second = load(file, "epts", metadata=metadata.name)
    assert [len(table.columns["time"]) for table in (first, second)] == [50, 50]
    turned = metrica.load_tracking_epts(
        meta_data=str(metadata), raw_data=str(file), coordinates="tracab"
    )
    ball = np.array([[f.ball_coordinates.x, f.ball_coordinates.y] for f in turned.records[:50]])
    ours = np.stack([first.columns["ball_x"], first.columns["ball_y"]], axis=1)
    # The library turns shares into whole metres by way of standard lines of the pitch, in cm.
    np.testing.assert_allclose(ours, ball / 100, atol=0.02)
    # kph in the file; nobody runs faster than 13 m/s.
    speed = first.columns["home-01_speed"]
    assert first.attributes["unit:home-01_speed"] == "m/s"
    assert 0 < np.nanmax(speed) < 13
    whole, cut = load(folder / "tracab_raw.dat", metadata="tracab_meta.xml")
    assert [len(table.columns["time"]) for table in (whole, cut)] == [4, 3]
