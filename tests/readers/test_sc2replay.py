"""Replays against what sc2reader says with its own engine; no name of a player is printed here."""

from __future__ import annotations

import bz2
import io
import logging
import random
import re
import struct
import sys
import time
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm
from lumipipe.errors import InputError, RecordingError
from lumipipe.readers import READERS
from lumipipe.readers.privacy import KEY
from lumipipe.readers.sc2events import ACTIONS, KIND_NAMES, KINDS, dealt
from lumipipe.readers.sc2replay import Options, tables
from lumipipe.tasks.report import report
from lumipipe.tasks.request import load_request
from personal_requests import contents
from running import answer, ready_request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


sc2reader = pytest.importorskip("sc2reader", reason="replays are the extra esports")
mpyq = pytest.importorskip("mpyq", reason="replays are the extra esports")

# Length in bytes of a file to events of the game, tracker events, players, and frames of its end.
FILES = {
    15888: (2006, 0, 2, 9268),
    72404: (11282, 0, 2, 31482),
    8951: (1021, 0, 2, 4402),
    27373: (3943, 0, 2, 12140),
    32918: (5532, 0, 2, 18906),
    35148: (2346, 0, 2, 8921),  # resumed: its 393 tracker events are left out
    85661: (7755, 2631, 3, 18755),
    56122: (3994, 1749, 2, 8805),
    76250: (6823, 2592, 2, 15216),
}
RESUMED, LONGEST_S = 35148, 10.0


@pytest.fixture
def replays(real_data: Path) -> list[Path]:
    """The nine files."""
    return sorted((real_data / "sc2replay").glob("*.SC2Replay"))


def told(file: Path) -> Any:
    """A replay as sc2reader's engine understands it."""
    tracker = file.stat().st_size != RESUMED
    logging.disable(logging.CRITICAL)  # the engine logs nicknames
    try:
        return sc2reader.load_replay(str(file), load_level=4, do_tracker_events=tracker)
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.real
def test_each_file_has_the_events_of_the_library(replays: list[Path]) -> None:
    """Events of the game by player and class; the engine deals them in its own way."""
    classes = {name: number for number, names in KINDS.values() for name in names}
    seen = []
    for file in replays:
        games, tracker, players, end = FILES[file.stat().st_size]
        seen.append(file.stat().st_size)
        found, replay = list(tables(file, Options())), told(file)
        assert len(found) == players
        assert len(replay.game_events) == games
        assert len(replay.tracker_events) == tracker
        for table, player in zip(found, replay.players, strict=True):
            expected = Counter(
                classes[e.name]
                for e in replay.game_events
                if e.player is player and e.name in classes
            )
            kinds = table.columns["kind"]
            played = (kinds >= 10) & (kinds < 50)
            left = [e for e in replay.game_events if e.name == "PlayerLeaveEvent"]
            assert dict(Counter(kinds[played].tolist())) == dict(expected), len(left)
        events = sum(int(table.attributes["events"]) for table in found)
        assert events + int(found[0].attributes["events_of_nobody"]) == games + tracker
        assert max(int(table.columns["frame"][-1]) for table in found) == end
        assert found[0].attributes["events_in_game"] == str(games + tracker)
    assert sorted(seen) == sorted(FILES)


@pytest.mark.real
def test_units_belong_to_whom_the_engine_says(replays: list[Path]) -> None:
    """Units born, begun and dead; those of nobody are in no table."""
    for file in replays:
        replay = told(file)
        if not replay.tracker_events:
            continue
        for table, player in zip(tables(file, Options()), replay.players, strict=True):
            end = int(table.columns["frame"][-1])
            for name, owner in (
                ("unit born", "unit_controller"),
                ("unit begun", "unit_controller"),
            ):
                number, classes = KINDS[name]
                expected = sum(
                    getattr(e, owner) is player and e.frame <= end
                    for e in replay.tracker_events
                    if e.name in classes
                )
                assert (table.columns["kind"] == number).sum() == expected


@pytest.mark.real
def test_times_are_those_of_the_worlds_clock(replays: list[Path]) -> None:
    """sc2reader's length in real time, to its whole seconds; it ends with the header's frames."""
    for file in replays:
        replay = told(file)
        table = next(tables(file, Options()))
        clock = table.columns["time"]
        assert clock[0] == 0.0
        assert (np.diff(clock) >= 0.0).all()
        assert table.columns["frame"] == pytest.approx(clock * 22.4, rel=1e-12)
        assert table.attributes["frames_per_s"] == "22.4"
        header_s = replay.frames / 22.4
        assert int(header_s) - 1 <= replay.real_length.seconds <= int(header_s) + 1
        assert header_s - 3.0 <= float(table.attributes["length_s"]) <= header_s + 0.001


@pytest.mark.real
def test_the_game_that_was_resumed_says_so(replays: list[Path]) -> None:
    odd = next(file for file in replays if file.stat().st_size == RESUMED)
    for table in READERS["sc2replay"].read(odd, Options()):
        assert table.attributes["resumed"] == "yes"
        assert table.attributes["tracker"] == "no"
        assert any("resumed from a replay at 140.759 s" in note for note in table.notes)
        assert any("tracker events were left out" in note for note in table.notes)


def secrets_of(file: Path) -> set[str]:
    """What must not leave: names, clans, accounts and chat; words of four letters or more."""
    replay = told(file)
    found = set()
    for person in replay.entities:
        found |= {person.name, getattr(person, "clan_tag", "") or ""}
        found |= {getattr(person, "toon_handle", "") or ""}
        if hasattr(person, "detail_data"):
            found.add(str(person.detail_data["bnet"]["uid"]))
    found |= {message.text for message in replay.messages}
    return {word for word in found if len(word) >= 4}


@pytest.mark.real
def test_the_same_account_has_one_pseudonym(
    replays: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, "sixteen bytes or more")
    file = replays[0]
    one, two, other = (
        [table.attributes["person"] for table in tables(file, Options(pseudonyms=name))]
        for name in ("club", "club", "league")
    )
    assert one == two
    assert not set(one) & set(other)
    assert len(set(one)) == 2
    plain = [table.attributes["person"] for table in tables(file, Options())]
    assert [person.split("-", 1)[1] for person in plain] == ["player-1", "player-2"]
    monkeypatch.delenv(KEY)
    with pytest.raises(InputError, match="no secret key"):
        list(READERS["sc2replay"].read(file, Options(pseudonyms="club")))


@pytest.mark.real
@pytest.mark.slow
def test_no_output_of_a_run_leads_to_a_player(
    tmp_path: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch, replays: list[Path]
) -> None:
    """All nine files under their own names, one of which holds nicknames."""
    monkeypatch.setenv(KEY, "sixteen bytes or more")
    path = ready_request("esports", tmp_path, real_data)
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    form["data"][0]["read"] = {"pseudonyms": "test"}
    path.write_text(yaml.safe_dump(form, sort_keys=False), encoding="utf-8")
    done = answer(path, tmp_path / "out")
    report(load_request(path), done.stages, SerialComm(), choose_backend("numpy"), lambda _: None)
    everything = [(name, content) for name, content, _ in contents(tmp_path / "out")]
    assert any(b"Zerg" in content for _, content in everything)
    secrets = set().union(*(secrets_of(file) for file in replays))
    assert len(secrets) > 40
    # Whole words: a nickname may be a part of a word of ours, such as of "available".
    words = b"|".join(re.escape(word.lower().encode()) for word in sorted(secrets))
    pattern = re.compile(rb"(?<![a-z0-9])(?:" + words + rb")(?![a-z0-9])")
    hits = [name for name, content in everything if pattern.search(content.lower())]
    assert not hits, f"{len(hits)} hits in {sorted(set(hits))}"


def mutated(content: bytes, number: int) -> bytes:
    """A file with some bytes changed, or cut off."""
    rng, changed = random.Random(number), bytearray(content)
    if number % 3 == 0:
        return content[: rng.randrange(len(content))]
    reach = len(content) if number % 3 == 1 else 2048
    for _ in range(rng.choice([1, 4, 20])):
        changed[rng.randrange(min(reach, len(content)))] = rng.randrange(256)
    return bytes(changed)


@pytest.mark.real
def test_damaged_files_are_one_line(replays: list[Path], tmp_path: Path) -> None:
    """In this process, so that a traceback would be seen; the reader itself has limits beside."""
    refused: list[tuple[Path, RecordingError]] = []
    for number in range(200):
        source = replays[number % len(replays)]
        file = tmp_path / f"{number}.SC2Replay"
        file.write_bytes(mutated(source.read_bytes(), number))
        began = time.perf_counter()
        try:
            for table in tables(file, Options()):
                assert (np.diff(table.columns["time"]) >= 0.0).all()
                assert table.columns["time"][-1] < 1e5
        except RecordingError as error:
            refused.append((source, error))
        assert time.perf_counter() - began < LONGEST_S
    assert len(refused) > 100
    secrets = {source: secrets_of(source) for source in replays}
    for source, fault in refused:
        assert "\n" not in str(fault)
        assert not any(word in str(fault) for word in secrets[source])


def with_bomb(content: bytes) -> bytes:
    """A replay whose game events unpack to 1.6 GB, and say so nowhere."""
    archive = mpyq.MPQArchive(io.BytesIO(content), listfile=False)
    number = archive.get_hash_table_entry("replay.game.events").block_table_index
    bomb = b"\x10" + 100 * bz2.compress(bytes(16 * 2**20))
    start = len(content) - archive.header["offset"]
    flags = mpyq.MPQ_FILE_EXISTS | mpyq.MPQ_FILE_COMPRESS | mpyq.MPQ_FILE_SINGLE_UNIT
    blocks = [list(block) for block in archive.block_table]
    blocks[number] = [start, len(bomb), 2 * len(bomb), flags]
    plain = b"".join(struct.pack("<4I", *block) for block in blocks)
    at = archive.header["offset"] + archive.header["block_table_offset"]
    table = encrypted(plain, archive._hash("(block table)", "TABLE"))
    return content[:at] + table + content[at + len(table) :] + bomb


def encrypted(plain: bytes, key: int) -> bytes:
    """The inverse of what mpyq decrypts."""
    one, two, words = key, 0xEEEEEEEE, []
    for (value,) in struct.iter_unpack("<I", plain):
        two = (two + mpyq.MPQArchive.encryption_table[0x400 + (one & 0xFF)]) & 0xFFFFFFFF
        words.append(value ^ ((one + two) & 0xFFFFFFFF))
        one = (((~one << 0x15) + 0x11111111) | (one >> 0x0B)) & 0xFFFFFFFF
        two = (value + two + (two << 5) + 3) & 0xFFFFFFFF
    return struct.pack(f"<{len(words)}I", *words)


@pytest.mark.real
def test_a_bomb_is_refused_within_limits(replays: list[Path], tmp_path: Path) -> None:
    file = tmp_path / "bomb.SC2Replay"
    content = replays[2].read_bytes()
    again = with_bomb(content)
    archive = mpyq.MPQArchive(io.BytesIO(again), listfile=False)
    assert archive.read_file("replay.details") is not None  # the archive itself is whole
    file.write_bytes(again)
    began = time.perf_counter()
    with pytest.raises(RecordingError, match="is damaged"):
        list(READERS["sc2replay"].read(file, Options()))
    assert time.perf_counter() - began < LONGEST_S


@pytest.mark.real
def test_absurd_sizes_of_tables_take_no_memory(replays: list[Path], tmp_path: Path) -> None:
    """Two tables of 2**32 entries, in the header of the archive."""
    content = bytearray(replays[2].read_bytes())
    offset = mpyq.MPQArchive(io.BytesIO(bytes(content)), listfile=False).header["offset"]
    content[offset + 24 : offset + 32] = b"\xff" * 8
    file = tmp_path / "large.SC2Replay"
    file.write_bytes(bytes(content))
    with pytest.raises(RecordingError, match="is damaged or no StarCraft II replay"):
        list(READERS["sc2replay"].read(file, Options()))


@pytest.mark.parametrize("content", [b"", b"MPQ\x1b", b"MPQ\x1a" + bytes(60), b"no replay at all"])
def test_what_is_no_replay_is_one_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.SC2Replay"
    file.write_bytes(content)
    with pytest.raises(RecordingError, match=r"is empty|is damaged or no StarCraft II replay"):
        list(READERS["sc2replay"].read(file, Options()))


def test_the_library_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sc2reader", None)
    file = tmp_path / "a.SC2Replay"
    file.write_bytes(b"MPQ")
    with pytest.raises(InputError, match=r"install lumipipe\[esports\]"):
        list(READERS["sc2replay"].read(file, Options()))


def event(name: str, frame: int, **told_of: int) -> SimpleNamespace:
    """An event as sc2reader has it."""
    return SimpleNamespace(name=name, frame=frame, **told_of)


@pytest.mark.parametrize(("build", "whose"), [(17811, 2), (38996, 1)])
def test_events_name_players_in_old_games_and_users_in_later_ones(build: int, whose: int) -> None:
    people = [SimpleNamespace(pid=pid, uid=uid, is_human=True) for pid, uid in ((1, 2), (2, 5))]
    replay = SimpleNamespace(
        build=build,
        players=people,
        tracker_events=[],
        game_events=[event("CameraEvent", 7, pid=2), event("GameStartEvent", 0, pid=16)],
    )
    found = dealt(replay)
    assert [len(found.of[pid]) for pid in (1, 2)] == [int(whose == 1), int(whose == 2)]
    assert found.nobody == 1


def test_a_unit_dies_for_whom_it_belonged_to() -> None:
    people = [SimpleNamespace(pid=pid, uid=pid - 1, is_human=True) for pid in (1, 2)]
    units: Iterator[SimpleNamespace] = iter(
        [
            event("UnitBornEvent", 1, unit_id=9, control_pid=1),
            event("UnitDiedEvent", 5, unit_id=9),
            event("UnitBornEvent", 2, unit_id=8, control_pid=1),
            event("UnitOwnerChangeEvent", 3, unit_id=8, control_pid=2),
            event("UnitDiedEvent", 6, unit_id=8),
            event("UnitDiedEvent", 6, unit_id=7),
        ]
    )
    replay = SimpleNamespace(
        build=40000, players=people, tracker_events=list(units), game_events=[]
    )
    found = dealt(replay)
    died = KINDS["unit died"][0]
    assert [e.frame for e in found.of[1] if e.kind == died] == [5]
    assert [e.frame for e in found.of[2] if e.kind == died] == [6]
    assert found.nobody == 1


def test_kinds_have_one_number_and_class_each() -> None:
    numbers = [number for number, _ in KINDS.values()]
    classes = [name for _, names in KINDS.values() for name in names]
    assert len(set(numbers)) == len(numbers)
    assert len(set(classes)) == len(classes)
    assert {KIND_NAMES[number].split()[0] for number in ACTIONS} == {
        "command",
        "selection",
        "group",
    }
