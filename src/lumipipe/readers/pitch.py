"""Tracking of players on a pitch: one table for each period, in metres from its centre, by kloppy.

What a position on a pitch tells is where somebody played, not where on Earth: it is what these
files are about, and leaves the reader. Names, jersey numbers, teams, the date of the match and who
refereed do not. Formats are `lumipipe.readers.epts` and `lumipipe.readers.tracab`.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import plain_name, read_large, shown
from lumipipe.readers.libraries import damage, library
from lumipipe.readers.privacy import PseudonymOptions, pseudonym
from lumipipe.readers.salvage import whole_lines
from lumipipe.readers.tables import Table
from lumipipe.readers.xmlinput import read_xml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.readers.salvage import Whole

_MOST_BYTES = 2**29
_MOST = 1000  # players, periods, channels: 22 players with 10 substitutes have 200 channels


class PitchOptions(PseudonymOptions):
    """Keys of files of player tracking."""

    metadata: Annotated[str, Field(min_length=1)]
    """File with periods, teams and size of the pitch, as a path from the folder of the file."""

    def beside(self, file: Path) -> list[Path]:
        """The file with the metadata; of a link, beside what it means."""
        for folder in (file.parent, file.resolve().parent):
            if (folder / self.metadata).is_file():
                return [folder / self.metadata]
        raise InputError(
            shown(file),
            f"no metadata {self.metadata} lie there",
            "give read.metadata as a path from the folder of the file",
        )

    def placed(self, file: Path) -> PitchOptions:
        """These options for a copy of a file in another folder."""
        return self.model_copy(update={"metadata": str(self.beside(file)[0].absolute())})


class Pitch(NamedTuple):
    """How a format's numbers become SI: a position is (value - origin) * scale, in x and y.

    `height` is the factor of the ball's height, `speed` that of speeds, None where unknown.
    """

    origin: tuple[float, float]
    scale: tuple[float, float]
    height: float
    speed: float | None


def opened(file: Path, options: PitchOptions, module: str) -> tuple[Any, bytes, bytes]:
    """The format's module of kloppy, the metadata, and the tracking itself, both looked through.

    Parameters
    ----------
    file : Path
        With the tracking; plain, .gz or .xz.
    options : PitchOptions
        Where the metadata are.
    module : str
        Such as kloppy.tracab.

    Returns
    -------
    tuple of module, bytes and bytes
        What kloppy is called with.

    Raises
    ------
    InputError
        If kloppy is not installed or the metadata are not there.
    RecordingError
        If the metadata are no plain XML.
    """
    (metadata,) = options.beside(file)
    text, _ = read_xml(metadata, "", salvage=False)
    return (
        library(file, module, "kloppy", "team-tracking"),
        text.encode(),
        read_large(file, _MOST_BYTES, options.most_bytes),
    )


def whole(file: Path, content: bytes, options: PitchOptions) -> Whole | None:  # noqa: ARG001
    """The tracking up to its last whole line."""
    return whole_lines(content)


def refuse_many(file: Path, count: int, what: str) -> None:
    """Refuse a match with more of something than any match has: kloppy's time grows by its square.

    Parameters
    ----------
    file : Path
        Where it is from.
    count : int
        How many there are.
    what : str
        Of what.

    Raises
    ------
    RecordingError
        If they are more than 1,000.
    """
    if count > _MOST:
        raise RecordingError(
            shown(file), f"tells of {count} {what}", "check where it and its metadata are from"
        )


def pitch_tables(
    file: Path, dataset: Any, pitch: Pitch, options: PitchOptions, notes: tuple[str, ...] = ()
) -> Iterator[Table]:
    """One table for each period of a match.

    Parameters
    ----------
    file : Path
        Where it is from.
    dataset : kloppy.domain.TrackingDataset
        In the coordinates that the file has.
    pitch : Pitch
        How they become metres.
    options : PitchOptions
        The key of pseudonyms.
    notes : tuple of str
        For the reader of the report.

    Yields
    ------
    Table
        ``time`` in s since the period began; ``ball_x``, ``ball_y`` and ``ball_z`` (where known);
        ``home-01_x``, ``home-01_y`` and ``home-01_speed`` of each player that was seen, numbered
        in the order of the file's line-up; ``ball_alive`` (1, 0) where the file tells. x runs
        along the pitch and y across it, in m. With a key, the attribute ``player:home-01`` is the
        pseudonym of the provider's number for that player.

    Raises
    ------
    RecordingError
        If no frame lies in a period.
    """
    players = _players(dataset)
    periods = list(dict.fromkeys(frame.period.id for frame in dataset.records if frame.period))
    if not periods:
        raise RecordingError(shown(file), "has no frame in a period", "check metadata and file")
    said = {"rate_hz": f"{float(dataset.metadata.frame_rate):.12g}", "periods": str(len(periods))}
    if options.pseudonyms is not None:
        for name, player in players.items():
            said[f"player:{name}"] = pseudonym(str(player.player_id), options.pseudonyms)
    for at in periods:
        frames = [frame for frame in dataset.records if frame.period and frame.period.id == at]
        with damage(file, finding("tracking")):
            columns = _columns(frames, players, pitch)
        name = plain_name(file) + (f"-{at}" if len(periods) > 1 else "")
        units = {f"unit:{column}": _unit(column, pitch) for column in columns}
        yield Table(name, columns, said | units | {"period": str(at)}, None, notes=notes)


def _players(dataset: Any) -> dict[str, Any]:
    """Players by side and number in the line-up."""
    found: dict[str, Any] = {}
    for number, team in enumerate(dataset.metadata.teams):
        ground = getattr(team.ground, "value", None)
        side = ground if ground in {"home", "away"} else f"team{number + 1}"
        found |= {f"{side}-{at:02d}": player for at, player in enumerate(team.players, start=1)}
    return found


def _columns(frames: list[Any], players: dict[str, Any], pitch: Pitch) -> dict[str, np.ndarray]:
    """Columns of some frames; those without any reading are left out."""
    rows = [_cells(frame, players, pitch) for frame in frames]
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: np.array([row.get(name, np.nan) for row in rows], float) for name in names}
    return {name: values for name, values in columns.items() if not np.isnan(values).all()}


def _cells(frame: Any, players: dict[str, Any], pitch: Pitch) -> dict[str, float]:
    """Readings of one frame."""
    cells = {
        "time": frame.timestamp.total_seconds(),
        **_place("ball", frame.ball_coordinates, pitch),
    }
    height = getattr(frame.ball_coordinates, "z", None)
    if height is not None:
        cells["ball_z"] = height * pitch.height
    if frame.ball_state is not None:
        cells["ball_alive"] = float(frame.ball_state.value == "alive")
    for name, player in players.items():
        seen = frame.players_data.get(player)
        if seen is not None:
            cells |= _place(name, seen.coordinates, pitch)
            if seen.speed is not None:
                cells[f"{name}_speed"] = seen.speed * (pitch.speed or 1.0)
    return cells


def _place(name: str, point: Any, pitch: Pitch) -> dict[str, float]:
    """Where a player or the ball is, in m from the centre."""
    if point is None or point.x is None or point.y is None:
        return {}
    x, y = (
        (point.x - pitch.origin[0]) * pitch.scale[0],
        (point.y - pitch.origin[1]) * pitch.scale[1],
    )
    return {f"{name}_x": x, f"{name}_y": y}


def _unit(column: str, pitch: Pitch) -> str:
    """Unit of a column."""
    kind = column.rpartition("_")[2]
    if column in {"time", "ball_alive"}:
        return "s" if column == "time" else "1"
    if kind == "speed":
        return "unknown" if pitch.speed is None else "m/s"
    return "m"


def stream(content: bytes) -> io.BytesIO:
    """Bytes as the open file that kloppy wants."""
    return io.BytesIO(content)
