"""Replays of StarCraft II, by sc2reader (MIT): one table of events for each player.

Nicknames, clans, handles and chat stay in here: a player is a number within the game, or a keyed
pseudonym. What the kinds of events are is in `lumipipe.readers.sc2events`. mpyq, by which
sc2reader opens the archive, unpacks without a limit, so both run in a process of their own.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import Identifier  # noqa: TC001 (Pydantic reads it at run time)
from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import read_limited, shown
from lumipipe.readers.isolated import isolated
from lumipipe.readers.libraries import BoundedMemory, damage, installed, library
from lumipipe.readers.privacy import pseudonym
from lumipipe.readers.sc2events import ACTIONS, END, KIND_NAMES, START, dealt
from lumipipe.readers.tables import ReaderOptions, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lumipipe.readers.sc2events import Event

FRAMES_PER_GAME_S = 16
"""Frames of a second of the game's own clock, whatever the speed; sc2reader, `Replay.frames`."""
SPEEDS = {"Slower": 0.6, "Slow": 0.8, "Normal": 1.0, "Fast": 1.2, "Faster": 1.4}
"""Seconds of the game in a second of the world; sc2reader, `GAME_SPEED_FACTOR` of the first game.
Later games show times in seconds at *Faster*, but their frames last as long as ever."""
_KIND, _PACKAGE, _EXTRA = finding("StarCraft II replay"), "sc2reader", "esports"
_MOST_BYTES = 2**24
_DIGITS = 8  # 32 bits of the file's digest: two of 1,000 games are alike with a chance of 1e-4
_RESULTS = {"Win": "won", "Loss": "lost"}
_RACES = ("Protoss", "Terran", "Zerg")
_RESUMED = "HijackReplayGameEvent"
# Tracker events of games that a replay was resumed into name units that are not theirs; sc2reader
# refuses to follow them up to this build (`CorruptTrackerFileError`).
_LAST_BAD_UNITS = 26490


class Options(ReaderOptions):
    """Keys of a replay."""

    pseudonyms: Identifier | None = None
    """Name of the secret key under which a player's account becomes the attribute `person`, so
    that one person is known again in other games; without it, each game has its own persons.
    The key is in the environment, as for activity files; give a new key a new name."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """One table for each human player of a replay.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    options : Options
        Whether persons are known again.

    Yields
    ------
    Table
        Columns: ``time`` in s since the game began, of the world's clock; ``frame``; ``kind``, a
        number, and ``event``, its name (`lumipipe.readers.sc2events.KINDS`); ``action``, 1 for
        what the player did other than moving the camera. The first row is the start and the last
        one the end of this player's game; neither is an event of the file. Tables are called
        after the content of the file, since file names tell players.

    Raises
    ------
    InputError
        If sc2reader is not installed, or a pseudonym is asked for without a key.
    RecordingError
        If the file is damaged, is of an unknown speed, or holds no game of a human player.
    """
    installed(file, "sc2reader", _PACKAGE, _EXTRA)
    if options.pseudonyms is not None:
        pseudonym("", options.pseudonyms)
    read_limited(file, _MOST_BYTES)
    yield from isolated(file, "sc2replay", options)


def prepare(file: Path) -> None:
    """Load what reading a file needs, before memory is limited."""
    library(file, "sc2reader", _PACKAGE, _EXTRA)


def tables(file: Path, options: Options) -> Iterator[Table]:
    """As `read`, in this process.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    options : Options
        Whether persons are known again.

    Yields
    ------
    Table
        As `read` yields it.
    """
    content = read_limited(file, _MOST_BYTES)
    with damage(file, _KIND, "sc2reader", harmless=("sc2reader.resources.Replay",)):
        try:
            found = _tables(file, content, options)
        except InputError:
            raise
        except Exception as error:  # its message may hold what players are called
            raise RecordingError(
                shown(file),
                f"is damaged or no {_KIND} ({type(error).__name__})",
                "copy the file again from its source",
            ) from error
    yield from found


def _tables(file: Path, content: bytes, options: Options) -> list[Table]:
    """The tables of all human players."""
    game = hashlib.sha256(content).hexdigest()[:_DIGITS]
    replay, left_out = _loaded(file, content)
    if not replay.humans:
        raise RecordingError(shown(file), "has no human player", "leave the file out")
    rate = _frames_per_s(file, replay.speed)
    last = _last_frame(file, replay)
    streams = dealt(replay)
    about = _about(file, replay, game, last / rate, rate)
    about["events_of_nobody"] = str(streams.nobody)
    notes = _notes(file, replay, rate, left_out=left_out)
    return [
        _table(player, number, streams.of[player.pid], (about, notes, rate, last), options)
        for number, player in enumerate(replay.players, 1)
        if player.is_human
    ]


def _loaded(file: Path, content: bytes) -> tuple[Any, bool]:
    """The replay, and whether its tracker events were left out."""
    sc2reader = library(file, "sc2reader", _PACKAGE, _EXTRA)
    # Without an engine, nothing is looked up that events do not say themselves.
    replay = sc2reader.load_replay(BoundedMemory(content), load_level=4, engine=None)
    resumed = any(event.name == _RESUMED for event in replay.game_events)
    if not (resumed and replay.tracker_events and replay.base_build <= _LAST_BAD_UNITS):
        return replay, False
    again = io.BytesIO(content)
    return sc2reader.load_replay(again, load_level=4, do_tracker_events=False, engine=None), True


def _frames_per_s(file: Path, speed: object) -> float:
    """Frames in a second of the world."""
    if speed not in SPEEDS:
        raise RecordingError(
            shown(file), "does not tell the speed of its game", "leave the file out"
        )
    return FRAMES_PER_GAME_S * SPEEDS[str(speed)]


def _last_frame(file: Path, replay: Any) -> int:
    """Frame of the last event of anybody."""
    last = max((event.frame for event in replay.events), default=-1)
    # A game goes on for some seconds after its header was written, never for minutes.
    if not 0 <= last <= replay.frames + 60 * FRAMES_PER_GAME_S:
        raise RecordingError(
            shown(file), "has no events, or events after its end", "copy the file again"
        )
    return int(last)


def _table(
    player: Any,
    number: int,
    events: Sequence[Event],
    common: tuple[dict[str, str], tuple[str, ...], float, int],
    options: Options,
) -> Table:
    """The events of one player."""
    about, notes, rate, last = common
    left = [event.frame for event in events if event.name == "PlayerLeaveEvent"]
    end = min([last, *left])
    kept = [event for event in events if event.frame <= end]
    if late := len(events) - len(kept):
        note = finding(f"{late} events after this player had left are not in the table")
        notes = (*notes, note)
    frames = np.array([0, *(event.frame for event in kept), end], dtype=np.int64)
    kinds = np.array([START, *(event.kind for event in kept), END], dtype=np.int64)
    said = {
        **about,
        "player": f"player-{number}",
        "person": _person(player, options) or f"{about['game']}-player-{number}",
        "race": player.play_race if player.play_race in _RACES else "unknown",
        "result": _RESULTS.get(player.result, "unknown"),
        "events": str(len(events)),
        "played_s": _seconds(end / rate),
    }
    columns = {
        "time": frames / rate,
        "frame": frames,
        "kind": kinds,
        "event": np.array([KIND_NAMES[kind] for kind in kinds.tolist()], dtype=object),
        "action": np.isin(kinds, ACTIONS).astype(np.int64),
    }
    game = about["game"]
    return Table(f"{game}-player-{number}", columns, said, None, notes=notes, alias=game)


def _person(player: Any, options: Options) -> str | None:
    """Pseudonym of an account; None without a key, and where the file does not name one."""
    account = player.detail_data["bnet"]
    if options.pseudonyms is None or not account["uid"]:
        return None
    parts = (account["region"], account["subregion"], account["uid"])
    return pseudonym("S2-" + "-".join(map(str, parts)), options.pseudonyms)


def _about(file: Path, replay: Any, game: str, length_s: float, rate: float) -> dict[str, str]:
    """Attributes of all tables of a game."""
    return {
        "file": game,  # its name may hold nicknames
        "game": game,
        "version": str(replay.release_string),
        "expansion": str(replay.expansion),
        "players": str(len(replay.players)),
        "type": str(replay.real_type),
        "ladder": "yes" if replay.is_ladder else "no",
        "speed": str(replay.speed),
        "frames_per_s": f"{rate:g}",
        "length_s": _seconds(length_s),
        "map": str(replay.map_hash)[:_DIGITS],
        "ended": f"{replay.end_time:%Y-%m-%dT%H:%M:%SZ}",
        "resumed": "no" if _resumed_at(replay) is None else "yes",
        "tracker": "yes" if replay.tracker_events else "no",
        "named": "yes" if _names(file, replay) else "no",
        "events_in_game": str(len(replay.game_events) + len(replay.tracker_events)),
    }


def _notes(file: Path, replay: Any, rate: float, *, left_out: bool) -> tuple[str, ...]:
    """What a reader of the report should know of the game."""
    notes = []
    if (frame := _resumed_at(replay)) is not None:
        notes.append(
            finding(
                f"the game was resumed from a replay at {_seconds(frame / rate)} s: what lies "
                "before was played on another occasion, maybe by others"
            )
        )
    if left_out:
        notes.append(
            finding("tracker events were left out: they name units that are not of this game")
        )
    elif not replay.tracker_events:
        notes.append(finding("no tracker events: nothing is told of what happened to units"))
    if _names(file, replay):
        notes.append(
            finding("the file's name holds the name of a player: rename it before you share")
        )
    return tuple(notes)


def _resumed_at(replay: Any) -> int | None:
    """Frame at which the game was resumed from a replay."""
    found = (event.frame for event in replay.game_events if event.name == _RESUMED)
    return next(found, None)


def _names(file: Path, replay: Any) -> bool:
    """Whether the file's name holds the name of somebody in the game."""
    name = file.name.lower()
    return any(person.name and person.name.lower() in name for person in replay.entities)


def _seconds(value: float) -> str:
    """Seconds to the millisecond."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
