"""Files of many kinds, looked at as a stranger would: what is told, written, kept back, refused."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import re
import tracemalloc
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.io import savemat, wavfile

from command import call, one_line
from lumipipe.errors import InputError
from lumipipe.families import FAMILIES
from lumipipe.readers import READERS
from lumipipe.readers.recognise import recognise
from lumipipe.tasks.inspect import Asked, inspect
from lumipipe.tasks.inspecting import texts
from personal_requests import NAMES, PLACE, SERIAL, needles, personal_request
from readers.activity_files import (
    fit_file,
    gpx,
    lap,
    record,
    ride,
    session,
    tcx,
    timer,
    trackpoint,
    trkpt,
)

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(3)


class Told:
    """What was printed, and the folder that was written."""

    def __init__(self, out: Path, *files: object, **asked: Any) -> None:
        self.lines: list[str] = []
        self.out = out
        words = tuple(str(file) for file in files)
        self.code = inspect(Asked(words, out=out, **asked), self.lines.append)
        self.text = "\n".join(self.lines)
        self.record = json.loads((out / "inspect.json").read_text(encoding="utf-8"))
        self.page = (out / "inspect.html").read_text(encoding="utf-8")
        self.request = yaml.safe_load((out / "request.yaml").read_text(encoding="utf-8"))

    def table(self, number: int = 0) -> dict[str, Any]:
        """A table of the first file."""
        found: dict[str, Any] = self.record["files"][0]["tables"][number]
        return found

    def channel(self, name: str) -> dict[str, Any]:
        """A channel of the first table."""
        return next(item for item in self.table()["channels"] if item["name"] == name)

    def check(self) -> int:
        """Exit code of the check of the skeleton."""
        return call("request", "check", self.out / "request.yaml").code


def boiler(folder: Path, name: str = "boiler.csv", decimal: str = ",", rows: int = 200) -> Path:
    """A process table as a German spreadsheet writes it."""
    rng = np.random.default_rng(len(name))
    hours = pd.date_range("2024-02-01 06:00", periods=rows, freq="h").strftime("%d.%m.%Y %H:%M")
    table = pd.DataFrame(
        {
            "Zeit": hours,
            "Dampf [°C]": rng.normal(310, 2, rows).round(1),
            "Druck [bar]": rng.normal(12, 0.1, rows).round(2),
            "Pumpe": rng.integers(0, 2, rows),
        }
    )
    file = folder / name
    table.to_csv(file, sep=";", decimal=decimal, index=False)
    return file


def test_a_process_table(tmp_path: Path) -> None:
    told = Told(tmp_path / "out", boiler(tmp_path))
    assert told.code == 0
    assert "read: {delimiter: ;, decimal: ','}" in told.text
    clock = told.table()["clock"]
    assert clock["request"]["format"] == "%d.%m.%Y %H:%M"
    assert clock["rate_hz"] == pytest.approx(1 / 3600)
    assert "a row every 1:00:00, measured" in told.text
    steam = told.channel("Dampf [°C]")
    assert steam["meaning"]["unit"] == "degC" or steam["meaning"]["unit"] == "°C"
    assert steam["step"] == pytest.approx(0.1)
    assert told.request["question"]["family"] == "monitoring"
    assert [item["column"] for item in told.request["data"][0]["channels"]] == [
        "Dampf [°C]",
        "Druck [bar]",
    ]
    # Only whether people are concerned is left to say.
    assert "1 place to fill in, the first is rights.personal_data" in told.text
    file = told.out / "request.yaml"
    assert told.check() == 2
    filled = file.read_text(encoding="utf-8").replace('personal_data: "?"', "personal_data: none")
    file.write_text(filled, encoding="utf-8")
    assert told.check() == 0


def test_no_unit_is_made_up(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    rows = "".join(f"{a:.2f},{b:.2f}\n" for a, b in RNG.normal(size=(60, 2)))
    file.write_text("Temperature,CO(GT)\n" + rows, encoding="utf-8")
    told = Told(tmp_path / "out", file)
    first = told.request["data"][0]["channels"][0]
    assert (first["quantity"], first["unit"]) == ("temperature", "?")
    assert told.request["data"][0]["channels"][1]["unit"] == "?"
    assert told.request["data"][0]["time"] == {"kind": "order", "row": "?"}


def test_several_files_of_one_kind_are_one_pattern(tmp_path: Path) -> None:
    for name in ("boiler1.csv", "boiler2.csv", "boiler3.csv"):
        boiler(tmp_path, name)
    (tmp_path / "other.txt").write_text("no data at all here\n", encoding="utf-8")
    told = Told(tmp_path / "out", tmp_path / "*.csv")
    assert told.request["data"][0]["source"] == "../boiler[123]*.csv"
    assert "2 more of this kind:" in told.text
    assert len(told.record["files"]) == 3
    boiler(tmp_path, "boiler4.csv")
    told = Told(tmp_path / "out2", tmp_path / "boiler1.csv", tmp_path / "boiler4.csv")
    assert told.request["data"][0]["source"] == "../boiler[14]*.csv"


def test_files_of_two_states_are_one_pattern_and_the_state_is_asked_for(tmp_path: Path) -> None:
    for name in ("ok_1", "ok_2", "bad_1", "bad_2"):
        rows = [f"{n / 100},{n % 7},{n % 5},{name[:-2]}" for n in range(300)]
        rows[200:220] = []
        if name == "bad_2":  # a clock that was set back by half a second
            rows[250:] = [f"{float(r.split(',')[0]) - 0.5}{r[r.index(',') :]}" for r in rows[250:]]
        (tmp_path / f"{name}.csv").write_text("\n".join(["t,a,b,state", *rows]) + "\n")
    (tmp_path / "other.csv").write_text("x\n1\n")
    files = [tmp_path / f"{name}.csv" for name in ("ok_1", "ok_2", "bad_1", "bad_2")]
    told = Told(tmp_path / "out", *files, family="activity")
    (source,) = told.request["data"]
    assert source["source"].endswith("[bo]*_[0-9].csv")
    assert source["labels"]["activity"]["column"] == "state"
    assert "usual step 0.01, in the unit of the column" in told.text
    assert "the longest gap is one of 0.21, at line 202" in told.text
    assert "time goes back; 1 gap(s)" in told.text
    assert "state is one text in each file and 2 in all: what tells them apart?" in told.text
    written = (tmp_path / "out" / "inspect.json").read_text(encoding="utf-8")
    assert sha256(b"bad").hexdigest() not in written


def test_a_refused_file_is_a_line_and_the_others_go_on(tmp_path: Path) -> None:
    good = boiler(tmp_path)
    bad, odd = tmp_path / "bad.csv", tmp_path / "odd.bin"
    bad.write_text("a;b\n1;2\n3;4;5\n", encoding="utf-8")
    odd.write_bytes(b"\0\1\2")
    told = Told(tmp_path / "out", good, bad, odd)
    assert told.code == 3
    assert "not read, 2 file(s):" in told.text
    assert "bad.csv:3: the row has 3 cells" in re.sub(r"\s+", " ", told.text)
    assert [item["problem"] for item in told.record["refused"]][1].startswith("is of no kind")
    assert "Not read" in told.page


def ambiguous(folder: Path) -> Path:
    """A thousand or one? Both marks explain every number."""
    file = folder / "a.csv"
    file.write_text("x;y\n" + "1,234;2,345\n" * 20, encoding="utf-8")
    return file


def test_two_dialects_are_asked_for_with_the_words_to_type(tmp_path: Path) -> None:
    file = ambiguous(tmp_path)
    with pytest.raises(InputError, match="more than one dialect fits") as error:
        Told(tmp_path / "out", file)
    choices = error.value.remedy.removeprefix("type ").split(" or ")
    assert len(choices) >= 2
    found = set()
    for number, choice in enumerate(choices):
        words = [word.strip("'") for word in choice.split("--read ")[1:]]
        read = dict(word.strip().strip("'").partition("=")[::2] for word in words)
        told = Told(tmp_path / f"out{number}", file, read=read)
        found.add(tuple(item["smallest"] for item in told.table()["channels"]))
    assert len(found) == len(choices)  # each reads other numbers


def test_marks_for_no_reading_are_taken_and_told(tmp_path: Path) -> None:
    file = tmp_path / "plant.csv"
    rows = [
        f"{a:.2f},{'?' if at % 7 == 3 else f'{a * 2:.2f}'}" for at, a in enumerate(RNG.random(80))
    ]
    file.write_text("a,b\n" + "\n".join(rows) + "\n", encoding="utf-8")
    told = Told(tmp_path / "out", file)
    assert "?" in told.request["data"][0]["read"]["missing"]
    assert told.channel("b")["missing"] == 11
    assert "cells ? were taken for no reading" in told.text


def test_a_large_table_is_looked_at_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "WHOLE_BYTES", 10_000)
    monkeypatch.setattr(texts, "SAMPLE_BYTES", 5_000)
    file = tmp_path / "long.csv.gz"
    rows = "".join(f"{at},{at % 17}.5\n" for at in range(20_000))
    file.write_bytes(gzip.compress(b"n,x\n" + rows.encode()))
    told = Told(tmp_path / "out", file)
    assert told.record["files"][0]["sampled"].startswith("large: only its first")
    assert 100 < told.table()["rows"] < 1000
    assert told.request["data"][0]["source"] == "../long.csv.gz"
    file.write_bytes(gzip.compress(b"1" * 100_000))
    with pytest.raises(
        InputError, match=r"a file of one endless line|no line that ends|is of no kind"
    ):
        Told(tmp_path / "out2", file)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_file_that_unpacks_to_far_more_is_refused(tmp_path: Path, suffix: str) -> None:
    pack = {".gz": gzip.compress, ".xz": lzma.compress}[suffix]
    head = io.BytesIO()
    np.save(head, np.zeros(0))
    (tmp_path / f"bomb.npy{suffix}").write_bytes(pack(head.getvalue() + bytes(80 * 2**20)))
    tracemalloc.start()
    with pytest.raises(InputError, match="unpack to more than"):
        Told(tmp_path / "out", tmp_path / f"bomb.npy{suffix}")
    assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    tracemalloc.stop()


def test_a_ride_that_states_everything_is_accepted_as_it_is(tmp_path: Path) -> None:
    pytest.importorskip("fitdecode", reason="FIT files are the extra activity-files")
    rows = [
        record(t, power=200 + t % 31, heart_rate=120 + t % 20, speed=8 + t % 3) for t in range(120)
    ]
    stops = [timer(0, starts=True), *rows[:60], timer(60, starts=False), timer(70, starts=True)]
    content = [*ride(0)[:1], *stops, *rows[71:], session("cycling", 0, 120, timer_s=110)]
    (tmp_path / "ride.fit").write_bytes(fit_file(content))
    told = Told(tmp_path / "out", tmp_path / "ride.fit")
    assert "leg 1 of 1, cycling" in told.text
    clock = told.table()["clock"]
    assert clock["gaps"] == {"timer pause (manual)": 1}
    assert (clock["elapsed_s"], clock["timer_s"]) == (120.0, 110.0)
    assert clock["rate_hz"] == pytest.approx(1.0)
    assert "accepted as it is" in told.text
    assert told.check() == 0
    expected = "session_load" if "session_load" in FAMILIES else "monitoring"
    assert told.request["question"]["family"] == expected
    assert told.request["rights"]["personal_data"] == "pseudonymous"


def test_a_ride_in_json_is_accepted_as_it_is(tmp_path: Path) -> None:
    at = {"LAT": PLACE[0], "LON": PLACE[1]}
    samples = [{"SECS": t, "WATTS": 200 + t % 9, "HR": 120 + t % 5, **at} for t in range(60)]
    tags = {"Athlete": NAMES[0], "Sport": "Bike", "Notes": NAMES[1]}
    ride_ = {"STARTTIME": "2020/09/13 12:26:40 UTC", "TAGS": tags, "SAMPLES": samples}
    (tmp_path / "ride.json").write_text(json.dumps({"RIDE": ride_}), encoding="utf-8")
    told = Told(tmp_path / "out", tmp_path / "ride.json")
    assert told.record["files"][0]["format"] == "goldencheetah"
    assert told.request["question"]["family"] == "session_load"
    assert told.check() == 0
    content = told.text + told.page + json.dumps(told.record) + str(told.request)
    assert not [word for word in (*NAMES, str(PLACE[0])) if word in content]


def test_a_list_of_beats_is_accepted_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "morning.txt"
    file.write_text("".join(f"{800 + at % 37}\n" for at in range(400)), encoding="utf-8")
    told = Told(tmp_path / "out", file)
    assert told.request["question"]["family"] == "hrv"
    assert told.check() == 0


def test_forces_of_two_poles_and_a_label_are_a_technique(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    table = {
        "time": np.arange(80) * 1.0,
        "force_left_n": rng.normal(50, 5, 80).round(1),
        "force_right_n": rng.normal(50, 5, 80).round(1),
    }
    pd.DataFrame(table).to_csv(tmp_path / "plain.csv", index=False)
    pd.DataFrame({**table, "gear": ["G2", "G3"] * 40}).to_csv(tmp_path / "noted.csv", index=False)
    noted = Told(tmp_path / "out", tmp_path / "noted.csv")
    assert noted.request["question"]["family"] == "technique"
    assert noted.request["data"][0]["labels"]["technique"]["column"] == "gear"
    plain = Told(tmp_path / "out2", tmp_path / "plain.csv")
    assert plain.request["question"]["family"] == "monitoring"


def test_an_empty_option_says_that_there_is_no_mark(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("x;y\n" + "1,25;2,345\n" * 20, encoding="utf-8")
    said = call("inspect", file, "--read", "thousands=", "--out", tmp_path / "out")
    assert said.code == 0, said.err
    read = yaml.safe_load((tmp_path / "out" / "request.yaml").read_text())["data"][0]["read"]
    assert (read["decimal"], read["thousands"]) == (",", "")


def test_an_hour_back_is_a_local_clock(tmp_path: Path) -> None:
    hours = pd.date_range("2023-10-28 22:00", periods=30, freq="10min", tz="UTC")
    local = hours.tz_convert("Europe/Helsinki").strftime("%Y-%m-%d %H:%M")
    table = pd.DataFrame({"when": local, "a": np.arange(30) % 7, "b": np.arange(30) % 11})
    table.to_csv(tmp_path / "a.csv", index=False)
    told = Told(tmp_path / "out", tmp_path / "a.csv")
    assert "give time.zone, such as Europe/Helsinki" in re.sub(r"\s+", " ", told.text)
    # Any other fall is no change of the clock.
    table.iloc[[*range(20), *range(10)]].to_csv(tmp_path / "b.csv", index=False)
    assert "time.zone" not in Told(tmp_path / "out2", tmp_path / "b.csv").text


def test_tracking_finds_its_metadata(tmp_path: Path) -> None:
    pytest.importorskip("kloppy", reason="tracking is the extra team-tracking")
    from readers.test_pitch import frame, tracab  # noqa: PLC0415 (skipped as a whole without it)

    file = tracab(tmp_path, [frame(number, x=number) for number in (100, 101, 102, 200, 201)])
    told = Told(tmp_path / "out", tmp_path / "*")
    assert told.code == 0
    assert told.request["data"][0]["read"] == {"metadata": "meta.xml"}
    assert told.request["rights"]["personal_data"] == "pseudonymous"
    content = told.text + told.page + json.dumps(told.record)
    assert not [word for word in ("Aino", "Example", "Club") if word in content]
    (tmp_path / "meta.xml").unlink()
    with pytest.raises(InputError, match="no file with metadata beside it; type --read metadata="):
        Told(tmp_path / "out2", file)


@pytest.mark.real
def test_replays_tell_nobody(real_data: Path, tmp_path: Path) -> None:
    sc2reader = pytest.importorskip("sc2reader", reason="replays are the extra esports")
    for number, name in enumerate(("3.3.0_4", "1.3.4.18701_24415")):
        content = (real_data / "sc2replay" / f"{name}.SC2Replay").read_bytes()
        (tmp_path / f"game{number}.SC2Replay").write_bytes(content)
    told = Told(tmp_path / "out", tmp_path / "game*")
    assert told.request["question"]["family"] == "esports"
    assert told.check() == 0
    said = told.text + told.page + json.dumps(told.record) + str(told.request)
    names = {
        player.name
        for file in tmp_path.glob("*.SC2Replay")
        for player in sc2reader.load_replay(str(file), load_level=2).players
    }
    assert len(names) > 2
    assert not any(re.search(rf"\b{re.escape(name)}\b", said) for name in names)


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "family", "needed", "is_open"),
    [
        ("hr-rr/rest_rri.txt", "hrv", "numpy", False),
        ("fit/goldencheetah/HRV-Data.fit", "hrv", "fitdecode", False),
        ("activity-misc/2013_05_27_08_56_35.json", "session_load", "numpy", False),
        (
            "gpx/runner_session/00978fad-85f8-4f1c-be44-2b7146ccbf76.gpx",
            "session_load",
            "gpxpy",
            True,
        ),
    ],
)
def test_real_files_of_people(
    real_data: Path, tmp_path: Path, file: str, family: str, needed: str, *, is_open: bool
) -> None:
    pytest.importorskip(needed, reason="this format is an extra")
    told = Told(tmp_path / "out", real_data / file, family=family)
    assert told.request["question"]["family"] == family
    assert told.check() == (2 if is_open else 0)
    if is_open:
        assert "the first is asset.sport" in told.text


def test_legs_of_an_activity_are_a_block_each(tmp_path: Path) -> None:
    pytest.importorskip("fitdecode", reason="FIT files are the extra activity-files")
    rows = [record(t, heart_rate=120 + t % 9, speed=3.0 + t % 2) for t in range(120)]
    content = [session("running", 0, 59), session("cycling", 60, 59), *rows]
    (tmp_path / "two.fit").write_bytes(fit_file(content))
    told = Told(tmp_path / "out", tmp_path / "two.fit")
    assert "leg 1 of 2, running: 60 rows" in told.text
    assert "leg 2 of 2, cycling: 60 rows" in told.text


def test_one_activity_in_two_formats_is_named(tmp_path: Path) -> None:
    pytest.importorskip("gpxpy", reason="GPX files are the extra activity-files")
    points = "".join(trackpoint(t, power=200) for t in range(60))
    (tmp_path / "a.tcx").write_text(tcx(lap(0, 60, points)), encoding="utf-8")
    (tmp_path / "b.gpx").write_text(gpx("".join(trkpt(t) for t in range(60))), encoding="utf-8")
    boiler(tmp_path, "one.csv").rename(tmp_path / "one.csv")
    (tmp_path / "two.csv").write_bytes((tmp_path / "one.csv").read_bytes())
    told = Told(tmp_path / "out", tmp_path / "*")
    text = re.sub(r"\s+", " ", told.text)
    assert re.search(r"start, duration and distance agree: \S+a.tcx, \S+b.gpx", text)
    assert re.search(r"the same bytes: \S+one.csv, \S+two.csv", text)


def test_nothing_leads_to_a_person(tmp_path: Path) -> None:
    pytest.importorskip("fitdecode", reason="FIT files are the extra activity-files")
    pytest.importorskip("gpxpy", reason="GPX files are the extra activity-files")
    personal_request(tmp_path, "monitoring")
    table = {
        "Latitude": PLACE[0] + 1e-5 * np.arange(50),
        "Longitude": PLACE[1] + 1e-5 * np.arange(50),
        "first name": [NAMES[0]] * 50,
        "who": [NAMES[0], NAMES[1]] * 25,
        "serial": [SERIAL] * 50,
        "power": np.arange(50) % 7,
    }
    pd.DataFrame(table).to_csv(tmp_path / "raw" / "table.csv", index=False)
    told = Told(tmp_path / "out", tmp_path / "raw" / "*")
    assert told.code == 0
    assert len(told.record["files"]) == 19
    written = {path.name: path.read_bytes() for path in told.out.iterdir()}
    written["terminal"] = told.text.encode()
    for what, needle in needles().items():
        for name, content in written.items():
            assert needle not in content, (what, name)
    # The search would have found them: the columns are there, and the positions are told of.
    assert "not shown Latitude, Longitude, first name, serial" in told.text
    assert told.text.count("positions there are some; they stay in the reader") == 3
    assert any(
        table["keeps_positions"] for file in told.record["files"] for table in file["tables"]
    )


def excel(folder: Path) -> Path:
    """A workbook with a title above its names, and a second sheet."""
    pytest.importorskip("python_calamine", reason="workbooks are the extra excel")
    from readers.test_excel import workbook  # noqa: PLC0415 (skipped as a whole without it)

    rows: list[list[object]] = [["Prüfstand 4", None, None]]
    rows.append(["Zeit [s]", "Torque [Nm]", "Speed [rpm]"])
    rows += [[at * 0.5, 10.0 + at % 7, 1500.0 + at % 6] for at in range(50)]
    return workbook(folder / "bench.xlsx", Messung=rows, Notes=[["a", "b"], [1, 2]])


def test_a_workbook_with_a_title_above_its_names(tmp_path: Path) -> None:
    told = Told(tmp_path / "out", excel(tmp_path))
    assert told.request["data"][0]["read"]["header"] == 2
    channels = told.request["data"][0]["channels"]
    assert [(item["quantity"], item["unit"]) for item in channels] == [
        ("torque", "Nm"),
        ("rotational_frequency", "rpm"),
    ]
    assert "other sheets, for --read sheet=NAME: Notes" in told.text


def test_variables_of_matlab_are_found(tmp_path: Path) -> None:
    for number in (97, 105):
        content = {
            f"X{number:03}_DE_time": RNG.normal(size=(500, 1)),
            f"X{number:03}_FE_time": RNG.normal(size=(500, 1)),
            f"X{number:03}RPM": np.array([[1797.0]]),
            "short": np.arange(3.0),
        }
        savemat(tmp_path / f"{number}.mat", content)
    told = Told(tmp_path / "out", tmp_path / "*.mat")
    read = told.request["data"][0]["read"]
    assert read == {
        "variables": {"DE_time": "*DE_time", "FE_time": "*FE_time"},
        "scalars": {"RPM?": "*RPM"},
    }
    assert told.table()["attributes"]["RPM"] == "1797"
    assert len(told.request["data"]) == 1  # one kind, though variables are called otherwise
    assert "vectors of other lengths were left out: short (3)" in told.text


def test_sound_has_a_rate_and_no_unit(tmp_path: Path) -> None:
    wavfile.write(tmp_path / "a.wav", 8000, RNG.integers(-99, 99, size=(800, 2)).astype(np.int16))
    told = Told(tmp_path / "out", tmp_path / "a.wav")
    assert told.request["data"][0]["time"] == {"kind": "regular", "rate_hz": 8000.0}
    assert "8000 Hz nominal, not measured" in told.text
    assert {item["unit"] for item in told.request["data"][0]["channels"]} == {"?"}


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("hide_ends_m", "hide_ends_m is for positions, which stay inside; remove it"),
        ("most_bytes", "Input should be greater than or equal to 1; correct it; the keys are sal"),
        ("hide_end_m", "format gpx has no such key; correct it; the keys are salvage, "),
    ],
)
def test_a_wrong_option_of_a_reader_is_one_line_with_one_remedy(
    tmp_path: Path, key: str, told: str
) -> None:
    request = personal_request(tmp_path / "closed", "activity")
    file = next((request.parent / "raw").glob("*.gpx"))
    said = call("inspect", file, "--read", f"{key}=0")
    assert one_line(said).startswith(f"--read {key}=0: {told}")
    assert said.err.count("; correct it") + said.err.count("; remove it") == 1


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_lines_fit_the_terminal(tmp_path: Path, width: int) -> None:
    file = boiler(tmp_path)
    lines: list[str] = []
    inspect(Asked((str(file),), width=width), lines.append)
    table = [line for line in lines if not line.startswith("written")]
    assert max(map(len, table)) <= width
    steam = next(line for line in lines if line.startswith("  Dampf"))
    assert any(sign in steam for sign in "▁▂▃▄▅▆▇█")


def test_the_page_has_plots_with_their_words(tmp_path: Path) -> None:
    told = Told(tmp_path / "out", boiler(tmp_path))
    assert "<svg" in told.page
    assert "Courses over 8 d 7:00:00: Dampf [°C] from" in told.page
    assert "https://" not in told.page
    assert "lumipipe_request: 1" in told.page


def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    file = boiler(tmp_path)
    first, second = Told(tmp_path / "a", file), Told(tmp_path / "b", file)
    for name in ("inspect.html", "inspect.json"):
        assert (first.out / name).read_bytes() == (second.out / name).read_bytes()


def known_files(folder: Path) -> list[Path]:
    """Files of a folder that a reader here may know."""
    found = []
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            try:
                recognise(file)
            except InputError:
                continue
            found.append(file)
    return found


FOLDERS = [
    "activity-misc",
    "ai4i2020",
    "air-quality",
    "barbell-imu",
    "cmapss",
    "concrete",
    "cwru-bearing",
    "ecg",
    "epa-rata",
    "femto-bearing",
    "fermentation-spectra",
    "fit",
    "gas-turbine-emission",
    "gpx",
    "har-phone-watch",
    "hr-rr",
    "hydraulic-rig",
    "ide",
    "mat73",
    "metrology",
    "mf4",
    "mimii-sound",
    "parquet",
    "pipeline-bench",
    "sc2replay",
    "scope",
    "skab",
    "steel-energy",
    "tcx",
    "tdms",
    "team-gps",
    "tep",
    "uea-ts",
    "uff",
    "water-treatment",
    "wearable-raw",
    "xc-rollerski",
]


def places(files: list[Path]) -> set[bytes]:
    """Positions in activity files as text, to the fourth decimal."""
    found: set[bytes] = set()
    for file in files:
        name = recognise(file).format
        if name not in {"fit", "gpx", "tcx"}:
            continue
        options = READERS[name].Options.model_validate({"positions": True, "hide_ends_m": 0})
        try:
            for table in READERS[name].read(file, options):
                for column in ("latitude", "longitude"):
                    values = table.columns.get(column, np.zeros(0))[:400]
                    found |= {f"{v:.4f}"[:-1].encode() for v in values[np.isfinite(values)]}
        except InputError:
            continue
    # Short numbers such as 0.000 stand in any table.
    return {place for place in found if len(place) > len(b"10.000")}


def some_of_each_kind(files: list[Path], most: int = 4) -> list[Path]:
    """Of the files with one ending at most so many, evenly from first to last by name.

    That each file is read or refused is tested where the readers are.
    """
    kinds: dict[str, list[Path]] = {}
    for file in sorted(files):
        kinds.setdefault(file.suffix.lower(), []).append(file)
    return [
        kind[place]
        for kind in kinds.values()
        for place in sorted({round(i * (len(kind) - 1) / (most - 1)) for i in range(most)})
    ]


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS)
def test_files_of_the_real_data(real_data: Path, tmp_path: Path, folder: str) -> None:
    """Nothing is raised but a refusal, and what people would be found by stays inside."""
    files = some_of_each_kind(known_files(real_data / folder))
    assert files, folder
    said = call("inspect", *files, "--out", tmp_path / "out")
    assert said.code in {0, 2, 3}, said.err
    assert "Traceback" not in said.out + said.err
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*")}
    assert bool(written) == (said.code != 2)
    written["terminal"] = said.out.encode()
    hidden = places(files)
    for name, content in written.items():
        hits = {place for place in hidden if re.search(rb"(?<![0-9.])" + re.escape(place), content)}
        assert not hits, (folder, name, len(hits))  # never print them
    if written.get("request.yaml"):
        yaml.safe_load(written["request.yaml"])


@pytest.mark.real
@pytest.mark.parametrize(
    ("files", "needed"),
    [
        ("tdms/raw1.tdms", "nptdms"),
        ("fit/garmin-edge-500-activity.fit", "fitdecode"),
        ("tcx/2009_01_09_11_13_14.tcx", "fitdecode"),
        ("scope/trc/lecroy_2.trc", "RigolWFM"),
    ],
)
def test_real_files_that_state_all_are_accepted(
    real_data: Path, tmp_path: Path, files: str, needed: str
) -> None:
    pytest.importorskip(needed, reason="this format is an extra")
    told = Told(tmp_path / "out", real_data / files)
    if len(told.request["data"][0]["channels"]) > 1:
        assert "accepted as it is" in told.text
        assert told.check() == 0
