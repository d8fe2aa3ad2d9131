"""Kinds of events of a StarCraft II replay, and whose they are.

Which classes of sc2reader are of which kind, and what stands in a file for whom. Opening files is
`lumipipe.readers.sc2replay`'s.
"""

from __future__ import annotations

from typing import Any, NamedTuple

KINDS = {
    "start": (0, ()),
    "end": (1, ()),
    "command": (
        10,
        (
            "CommandEvent",
            "BasicCommandEvent",
            "TargetPointCommandEvent",
            "TargetUnitCommandEvent",
            "DataCommandEvent",
        ),
    ),
    "command aimed again": (11, ("UpdateTargetPointCommandEvent", "UpdateTargetUnitCommandEvent")),
    "command repeated": (12, ("CommandManagerStateEvent",)),
    "selection": (20, ("SelectionEvent",)),
    "group set": (
        30,
        ("SetControlGroupEvent", "AddToControlGroupEvent", "DeleteControlGroupEvent"),
    ),
    "group recalled": (31, ("GetControlGroupEvent",)),
    "camera": (40, ("CameraEvent",)),
    "other": (50, ()),
    "unit born": (60, ("UnitBornEvent",)),
    "unit begun": (61, ("UnitInitEvent",)),
    "unit done": (62, ("UnitDoneEvent",)),
    "unit died": (63, ("UnitDiedEvent",)),
    "unit changed": (64, ("UnitTypeChangeEvent", "UnitOwnerChangeEvent")),
    "upgrade": (65, ("UpgradeCompleteEvent",)),
    "statistics": (66, ("PlayerStatsEvent",)),
    "other of the game": (69, ()),
}
"""Name of a kind to its number and the classes of sc2reader that are of it; from 60 on, events are
what happened to the player, not what the player did. What has no kind of its own is *other*."""
KIND_NAMES = {number: name for name, (number, _) in KINDS.items()}
"""Number of a kind to its name."""
START, END = KINDS["start"][0], KINDS["end"][0]
ACTIONS = tuple(KINDS[name][0] for name in ("command", "command aimed again", "command repeated"))
ACTIONS += tuple(KINDS[name][0] for name in ("selection", "group set", "group recalled"))
"""Kinds that the column ``action`` marks."""
_OF = {name: number for number, names in KINDS.values() for name in names}
_OWNED = ("UnitBornEvent", "UnitInitEvent", "UnitOwnerChangeEvent")
# From this build on, events of the game name the user, before, the player (sc2reader,
# `ContextLoader.load_message_game_player`).
_USERS_SINCE = 24247


class Event(NamedTuple):
    """One event of a player."""

    frame: int
    kind: int
    name: str


class Dealt(NamedTuple):
    """Events of a game by player."""

    of: dict[int, list[Event]]
    """Number of each player to the player's events, in the order of the file."""
    nobody: int
    """Events of the game itself, of observers and of neutral units."""


def dealt(replay: Any) -> Dealt:
    """Events of a replay that sc2reader has read, dealt to its players.

    Parameters
    ----------
    replay : sc2reader.resources.Replay
        With game events, and tracker events where there are any.

    Returns
    -------
    Dealt
        Events of one frame stay in the order of the file, those of the tracker first.
    """
    found: dict[int, list[Event]] = {player.pid: [] for player in replay.players}
    nobody, owners = 0, dict[int, int | None]()
    by_user = replay.build >= _USERS_SINCE
    players = {p.uid if by_user else p.pid: p.pid for p in replay.players if p.is_human}
    events = [(e.frame, _owner(e, owners), e.name, 69) for e in replay.tracker_events]
    events += [(e.frame, players.get(e.pid), e.name, 50) for e in replay.game_events]
    for frame, owner, name, other in sorted(events, key=lambda event: event[0]):
        if owner not in found:
            nobody += 1
        else:
            found[owner].append(Event(int(frame), _OF.get(name, other), name))
    return Dealt(found, nobody)


def _owner(event: Any, owners: dict[int, int | None]) -> int | None:
    """Number of the player that an event of the tracker is about; `owners` of units is kept."""
    if event.name in _OWNED:
        owners[event.unit_id] = event.control_pid
    found: int | None = (
        owners.get(event.unit_id) if hasattr(event, "unit_id") else getattr(event, "pid", None)
    )
    return found
