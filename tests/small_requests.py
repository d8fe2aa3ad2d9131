"""Tiny requests with their files, one for each family: what the black-box tests run.

Each function writes the files and ``request.yaml`` into a folder and returns the path of the
request. Keyword arguments change sections of it: mappings are merged, a position (0, 1, ...)
changes an entry of a list, and `DROP` takes a key out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DROP = object()
ALL_FEATURES = {
    "statistics": {},
    "spectral": {},
    "random_convolution": {"features": 84},
    "random_fourier": {"features": 32},
    "polynomial": {"degree": 2},
    "trend": {},
}
SINES_HZ = {"swing": 1.0, "shake": 4.0}


def activity(folder: Path, **changes: Any) -> Path:
    """Four persons, two exercises, two recordings of each; unlike lengths."""
    for person in range(4):
        for exercise, hertz in SINES_HZ.items():
            for number in range(2):
                seconds = 8 + 2 * person + number
                name = f"p{person}_{exercise}_{number}.csv"
                key = (person, len(exercise), number, len(name))
                write_sines(folder / "raw" / name, hertz + 0.1 * person, seconds, key)
    source = {
        "id": "watch",
        "source": "raw/*.csv",
        "format": "csv",
        "read": {"delimiter": ",", "decimal": "."},
        "recordings": {
            "pattern": r"(?P<person>p\d)_(?P<exercise>[a-z]+)_(?P<set>\d)",
            "id": "{person}-{exercise}-{set}",
            "unit": "{person}",
        },
        "time": {"kind": "regular", "rate_hz": 20},
        "channels": [
            {"name": "acc_x", "column": "x", "quantity": "acceleration", "unit": "m/s2"},
            {"name": "acc_y", "column": "y", "quantity": "acceleration", "unit": "m/s2"},
        ],
        "labels": {"exercise": {"attribute": "exercise", "meaning": "what the person did"}},
    }
    form = _form("activity", source, split={"kind": "group", "by": "unit"}) | {
        "train": {
            "label": "exercise",
            "window_s": 2.0,
            "hop_s": 0.5,
            "features": {"statistics": {}, "random_convolution": {"features": 84}},
            "penalties": [1.0, 100.0],
            "sample_rows": 64,
            "windows_per_chunk": 8,
        },
    }
    return _write(folder, form, changes)


def fleet(folder: Path, units: int = 12, **changes: Any) -> Path:
    """The exercises of `activity`, all in one table; what they were stands in another file."""
    lines = ["unit,x,y"]
    exercises = [sorted(SINES_HZ)[unit % 2] for unit in range(units)]
    for unit, exercise in enumerate(exercises):
        file = folder / "raw" / "one.csv"
        write_sines(file, SINES_HZ[exercise], 8 + unit % 3, (unit, 1))
        lines += [f"{unit},{row}" for row in file.read_text(encoding="utf-8").splitlines()[1:]]
        file.unlink()
    (folder / "raw" / "fleet.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "told.csv").write_text("\n".join(exercises) + "\n", encoding="utf-8")
    source = {
        "source": "raw/fleet.csv",
        "recordings": {"column": "unit", "id": "u{unit:02}", "unit": "u{unit:02}"},
        "labels": {"exercise": {"file": "told.csv", "meaning": "what the person did"}},
    }
    request = activity(folder, data={0: source | {"recordings": DROP, "labels": DROP}})
    return change(request, **{"data": {0: source}, **changes})


def technique(folder: Path, athletes: int = 4, **changes: Any) -> Path:
    """Athletes with two recordings each: forces of two poles in two techniques, and gliding."""
    for athlete in range(athletes):
        for loaded in ("bare", "loaded"):
            rows = poled(athlete, int(loaded == "loaded"), ("single", "glide", "double", "single"))
            lines = [",".join(f"{value:.3f}" for value in row) for row in rows[0]]
            file = folder / "raw" / f"a{athlete}_{loaded}.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            told = [f"{line},{name}" for line, name in zip(lines, rows[1], strict=True)]
            file.write_text("\n".join(["left,right,speed,doing", *told]) + "\n", encoding="utf-8")
    source = {
        "id": "poles",
        "source": "raw/*.csv",
        "format": "csv",
        "read": {"delimiter": ",", "decimal": "."},
        "recordings": {
            "pattern": r"(?P<athlete>a\d)_(?P<load>[a-z]+)",
            "id": "{athlete}-{load}",
            "unit": "{athlete}",
        },
        "time": {"kind": "regular", "rate_hz": 25},
        "channels": [
            {"name": "left", "quantity": "force", "unit": "N", "scale": 100},
            {"name": "right", "quantity": "force", "unit": "N", "scale": 100},
            {"name": "speed", "quantity": "speed", "unit": "m/s", "scale": 5},
        ],
        "labels": {
            "technique": {"column": "doing", "meaning": "made up"},
            "load": {"attribute": "load", "meaning": "made up"},
        },
    }
    form = _form("technique", source, split={"kind": "group", "by": "unit"}) | {
        "train": {
            "condition": "load",
            "classifier": {
                "label": "technique",
                "inputs": ["left", "right"],
                "window_s": 3.0,
                "hop_s": 1.0,
                "margin_s": 1.0,
                "features": {"statistics": {}, "poling": {}},
                "penalties": [1.0, 100.0],
                "sample_rows": 64,
                "windows_per_chunk": 8,
            },
            "cycles": {
                "kind": "forces",
                "sides": {"left": "left", "right": "right"},
                "window_s": 4.0,
                "band_hz": [0.5, 2.5],
                "beside": ["speed"],
            },
        },
    }
    return _write(folder, form, changes)


def monitoring(folder: Path, **changes: Any) -> Path:
    """Sixty rows of five correlated channels; the last fifteen are shifted."""
    rng = np.random.default_rng(7)
    latent = rng.normal(size=(60, 2))
    rows = latent @ rng.normal(size=(2, 5)) + 0.2 * rng.normal(size=(60, 5))
    rows[45:, 0] += 3.0
    write_csv(folder / "raw" / "plant.csv", "a,b,c,d,e", rows)
    source = {
        "id": "plant",
        "source": "raw/plant.csv",
        "format": "csv",
        "read": {"delimiter": ",", "decimal": "."},
        "stream": "plant",
        "recordings": {"id": "plant", "unit": "plant"},
        "time": {"kind": "order", "row": "one hour"},
        "channels": [{"name": name, "quantity": "ratio", "unit": "1"} for name in "abcde"],
    }
    form = _form("monitoring", source, split={"kind": "time", "train_first_rows": 40}) | {
        "train": {
            "alpha": 0.05,
            "blocks": 4,
            "rows_per_chunk": 8,
            "models": {"plant": {"kind": "pca", "components": 2}},
        },
        "score": {"event": {"from_row": 45}},
    }
    return _write(folder, form, changes)


def bearing(folder: Path, **changes: Any) -> Path:
    """Impacts of two faults at three diameters, and a good bearing, at 2 kHz."""
    for name, per_second in (("IR", 163.0), ("OR", 107.0)):
        for number, diameter in enumerate((7, 14, 21)):
            signal = impacts(per_second, seconds=2.0 + 0.25 * number, key=(number, int(per_second)))
            write_csv(folder / "raw" / f"{name}_{diameter}.csv", "v", signal[:, None])
    write_csv(folder / "raw" / "good_0.csv", "v", impacts(0.0, 2.5, key=(9, 9))[:, None])
    source = {
        "id": "rig",
        "source": "raw/*.csv",
        "format": "csv",
        "read": {"delimiter": ",", "decimal": "."},
        "recordings": {
            "pattern": r"(?P<fault>[A-Za-z]+)_(?P<diameter>\d+)",
            "id": "{fault}-{diameter}",
            "unit": "{fault}-{diameter}",
        },
        "time": {"kind": "regular", "rate_hz": 2000},
        "channels": [{"name": "v", "quantity": "acceleration", "unit": "m/s2"}],
        "labels": {
            "fault": {
                "attribute": "fault",
                "meaning": "made by the test's staff",
                "values": {"IR": "inner race", "OR": "outer race", "good": "none"},
            },
        },
    }
    form = _form("bearing", source, split={"kind": "group", "by": "diameter"}) | {
        "prepare": {"chunk_bytes": 8192, "shard_bytes": 32768, "workers": 1},
        "asset": {
            "bearing": {"type": "6205", "n": 9, "ratio_d_D": 0.2, "contact_deg": 0},
            "speed": {
                "by": "fault",
                "nominal": {"inner race": 1800, "outer race": 1800, "none": 1800},
            },
            "baseline": {"label": "fault", "value": "none"},
        },
        "train": {
            "channel": "v",
            "band_hz": [200, 950],
            "segment_s": 1.0,
            "hop_s": 0.25,
            "windows_per_chunk": 2,
            "classifier": {
                "label": "fault",
                "leave_out": {"fault": ["none"]},
                "window_s": 0.25,
                "hop_s": 0.125,
                "features": {"statistics": {}},
                "penalties": [1.0, 100.0],
                "sample_rows": 64,
                "windows_per_chunk": 3,
            },
        },
        "score": {
            "truth": "fault",
            "meaning": {
                "inner race": "inner race",
                "outer race": "outer race",
                "none": "no fault",
            },
        },
    }
    return _write(folder, form, changes)


def recipe(folder: Path, **changes: Any) -> Path:
    """Forty mixes of three materials at two ages; every tenth row stands there twice."""
    rng = np.random.default_rng(11)
    mixes = np.round(rng.uniform([100, 0, 150], [400, 200, 200], size=(40, 3)))
    rows = []
    for cement, slag, water in mixes:
        for age in (7.0, 28.0):
            strength = 0.1 * cement + 0.05 * slag - 0.1 * water + 8 * np.log(age)
            rows.append([cement, slag, water, age, strength + rng.normal()])
    rows += rows[::10]
    write_csv(folder / "raw" / "mixes.csv", "cement,slag,water,age,strength", np.array(rows))
    ranges = {"cement": [100, 400], "slag": [0, 200], "water": [150, 200], "age": [1, 90]}
    source = {
        "id": "mixes",
        "source": "raw/mixes.csv",
        "format": "csv",
        "read": {"delimiter": ",", "decimal": "."},
        "recordings": {"id": "mixes", "unit": "laboratory"},
        "time": {"kind": "order", "row": "one specimen"},
        "channels": [
            {"name": name, "quantity": "ratio", "unit": "1", "range": span}
            for name, span in ranges.items()
        ]
        + [{"name": "strength", "quantity": "pressure", "unit": "MPa"}],
    }
    form = _form("recipe", source, split={"kind": "group", "by": "mix", "folds": 4}) | {
        "asset": {
            "materials": {
                "cement": {"kind": "primary", "origin": "works"},
                "slag": {"kind": "side_stream", "origin": "furnace"},
                "water": {"kind": "other", "origin": "lake"},
            },
        },
        "train": {
            "target": "strength",
            "log": ["age"],
            "features": {"polynomial": {"degree": 2}},
            "penalties": [0.1, 10.0],
            "windows_per_chunk": 8,
            "sample_rows": 64,
        },
        "score": {
            "specification": {"at": {"age": 28}, "at_least": 35},
            "candidates": 500,
        },
    }
    return _write(folder, form, changes)


def carbon(folder: Path, **changes: Any) -> Path:
    """Two plants over the end of a month, with gaps, a row twice and readings that are missing."""
    for plant, lost in (("north", slice(20, 23)), ("south", slice(40, 41))):
        rows = quarter_hours(96, key=(11, len(lost.indices(96)), ord(plant[0])))
        rows[5, 1] = np.nan
        kept = np.delete(np.arange(96), lost)
        write_csv(
            folder / "raw" / f"{plant}.csv", "t,kwh,steam,co2,shift", rows[np.append(kept, 95)]
        )
    source = {
        "id": "meters",
        "source": "raw/*.csv",
        "format": "csv",
        "read": {"delimiter": ",", "decimal": "."},
        "time": {"kind": "column", "column": "t", "unit": "s"},
        "channels": [
            {"name": "kwh", "quantity": "energy", "unit": "kWh", "resolution": 0.1},
            {"name": "steam", "quantity": "mass_flow", "unit": "t/h"},
            {"name": "co2", "quantity": "mass", "unit": "kg"},
        ],
        "labels": {
            "shift": {
                "column": "shift",
                "meaning": "who was on duty",
                "values": {"0": "day", "1": "night"},
            },
        },
    }
    form = _form("carbon", source, split={"kind": "none"}) | {
        "asset": {"boundary": "power and steam of both plants"},
        "train": {
            "interval_s": 900,
            "stamp": "ends",
            "meters": {
                "power": {"expanded": 0.01, "k": 2, "source": "made up"},
                "scales": {"expanded": 0.02, "k": 2, "source": "made up"},
            },
            "factors": {
                "grid": made_up_factor(0.4, "kg/kWh", 0.02, 2),
                "boiler": made_up_factor(60.0, "kg/t", 3.0, 1),
            },
            "activities": {
                "power": {"channel": "kwh", "kind": "amount", "meter": "power", "factor": "grid"},
                "steam": {
                    "channel": "steam",
                    "kind": "rate",
                    "meter": "scales",
                    "factor": "boiler",
                },
            },
            "filed": {"channel": "co2", "activity": "power"},
            "rows_per_chunk": 8,
        },
        "score": {"by": ["month", "unit", "shift"]},
    }
    return _write(folder, form, changes)


def emission(folder: Path, **changes: Any) -> Path:
    """Two earlier years of forty rows and a later one; a sensor sticks in the middle of that."""
    for number, year in enumerate(("2011", "2012", "2013")):
        rows = turbine_rows(40, number)
        if year == "2013":
            rows[15:25, 1] = rows[14, 1] + 30.0
        write_turbine(folder, year, rows)
    form = _form("emission", turbine_source("past", "raw/gt_201[12].csv"), {}) | {
        "asset": {
            "installation": "turbine",
            "pollutant": "NOx",
            "per_ppm": 2.0,
            "reference": {"method": "an analyser", "u": 0.5},
        },
        "train": {
            "target": "nox",
            "features": {"polynomial": {"degree": 2}},
            "penalties": [0.1, 10],
            "folds": 3,
            "sample_rows": 64,
            "guard_alpha": 0.1,  # limits for a hundredth would take more rows
            "windows_per_chunk": 16,
        },
        "score": {"averages": {"rows": 6}, "load": "power"},
    }
    form["evaluation"] = {"split": {"kind": "source", "train": ["past"], "test": ["later"]}}
    form["data"].append(turbine_source("later", "raw/gt_2013.csv"))
    return _write(folder, form, changes)


def ambient(folder: Path, drift: float = 0.0, **changes: Any) -> Path:
    """A sensor each hour beside a reference; four days calibrate, then it may drift by the day.

    Some hours have no reading of the reference, and two are not in the file.
    """
    rng = np.random.default_rng(5)
    hour = np.setdiff1d(np.arange(16 * 24), [130, 131])
    day = hour / 24
    truth = 2 + np.sin(2 * np.pi * day) + 0.3 * rng.normal(size=len(hour))
    weather = 10 + 5 * np.sin(2 * np.pi * day / 3) + rng.normal(size=len(hour))
    sensor = 100 + 50 * (truth + drift * np.maximum(day - 4, 0)) - 2 * weather
    sensor += 5 * rng.normal(size=len(hour))
    reference = np.where(hour % 17 == 3, -200, truth)
    rows = np.stack([1.7e9 + 3600 * hour, reference, sensor, weather], axis=1)
    write_csv(folder / "raw" / "road.csv", "t,ref,raw,temp", rows)
    source = {
        "id": "road",
        "source": "raw/road.csv",
        "format": "csv",
        "read": {"delimiter": ",", "decimal": "."},
        "recordings": {"id": "road", "unit": "road"},
        "time": {"kind": "column", "column": "t", "unit": "s"},
        "channels": [
            {
                "name": "ref",
                "quantity": "mass_concentration",
                "unit": "mg/m3",
                "invalid": [-200.0],
            },
            {"name": "raw", "quantity": "response", "unit": "1", "range": [-1000, 1000]},
            {"name": "temp", "quantity": "temperature", "unit": "degC", "range": [-20, 40]},
        ],
    }
    form = _form("ambient", source, split={"kind": "time", "train_first_s": 4 * 86400}) | {
        "train": {
            "target": "ref",
            "sensor": "raw",
            "penalties": [0.01, 1.0],
            "folds": 4,
            "sample_rows": 64,
            "windows_per_chunk": 16,
        },
        "score": {"period_s": 3 * 86400, "block_s": 43200, "largest_bias": 0.2, "level": 3.0},
    }
    return _write(folder, form, changes)


def soft_sensor(folder: Path, **changes: Any) -> Path:
    """Three causes of five inputs with gaps; two qualities in a laboratory's file, some missing."""
    rng = np.random.default_rng(11)
    causes = rng.normal(size=(70, 3))
    inputs = 10.0 + causes @ rng.normal(size=(3, 5)) + 0.02 * rng.normal(size=(70, 5))
    inputs[60:] += 4.0 * rng.normal(size=(10, 5))  # unlike the rows before
    quality = np.stack([causes[:, 0] + causes[:, 1], 1000.0 + 50.0 * causes[:, 2]], axis=1)
    quality += [0.05, 2.5] * rng.normal(size=(70, 2))
    hours = np.arange(70) / 4.0
    write_csv(folder / "raw" / "plant.csv", "a,b,c,d,e", inputs)
    text = (folder / "raw" / "plant.csv").read_text(encoding="utf-8").splitlines()
    gaps = [
        ",".join(["", *row.split(",")[1:]]) if n % 7 == 3 else row for n, row in enumerate(text)
    ]
    (folder / "raw" / "plant.csv").write_text("\n".join(gaps) + "\n", encoding="utf-8")
    kept = np.arange(70) % 9 != 4
    write_csv(folder / "raw" / "lab.csv", "h,y,z", np.c_[hours, quality][kept])
    plant = {
        "id": "plant",
        "source": "raw/plant.csv",
        "format": "csv",
        "read": {"delimiter": ",", "decimal": "."},
        "stream": "plant",
        "recordings": {"id": "plant", "unit": "plant"},
        "time": {"kind": "regular", "rate_hz": 1 / 900},
        "channels": [{"name": "x", "columns": "[a-e]", "quantity": "ratio", "unit": "1"}],
    }
    lab = plant | {
        "id": "lab",
        "source": "raw/lab.csv",
        "stream": "lab",
        "time": {"kind": "column", "column": "h", "unit": "h", "origin": "recording"},
        "channels": [
            {"name": "y", "quantity": "ratio", "unit": "1"},
            {"name": "z", "quantity": "temperature", "unit": "K"},
        ],
    }
    form = _form("soft_sensor", plant, split={"kind": "time", "train_first_rows": 45}) | {
        "train": {
            "stream": "plant",
            "targets": ["y", "z"],
            "reference": {"stream": "lab", "tolerance_s": 60},
            "components": 4,
            "folds": 5,
            "windows_per_chunk": 8,
        },
        "score": {
            "inversion": [
                {"id": "middle", "quality": {"y": 0.2, "z": 1010.0}},
                {"id": "far", "quality": {"y": 40.0}},
            ]
        },
    }
    form["data"] = [plant, lab]
    return _write(folder, form, changes)


def remaining_life(folder: Path, **changes: Any) -> Path:
    """Twelve pumps that ran to failure, and six stopped before, in two tables; one is young."""
    rng = np.random.default_rng(17)
    lives = rng.integers(30, 60, size=18)
    stopped = np.array([5, 12, 30, 20, 25, 9])
    write_pumps(folder / "raw" / "failed.csv", worn_pumps(lives[:12], lives[:12], 0))
    write_pumps(folder / "raw" / "running.csv", worn_pumps(lives[12:], stopped, 1))
    left = "".join(f"{life}\n" for life in lives[12:] - stopped)
    (folder / "raw" / "left.txt").write_text(left, encoding="utf-8")
    channels = [
        {"name": "load", "quantity": "ratio", "unit": "1"},
        {"name": "wear", "quantity": "ratio", "unit": "1", "scale": 1.0},
        {"name": "noise", "quantity": "ratio", "unit": "1", "scale": 1.0},
        {"name": "level", "quantity": "ratio", "unit": "1", "scale": 1.0},
    ]
    failed, running = (
        {
            "id": name,
            "source": f"raw/{name}.csv",
            "format": "csv",
            "read": {"delimiter": ",", "decimal": "."},
            "recordings": {
                "column": "pump",
                "id": name + "-{pump:02}",
                "unit": name + "-{pump:02}",
            },
            "time": {"kind": "order", "row": "one day"},
            "channels": channels,
        }
        for name in ("failed", "running")
    )
    running["labels"] = {"left": {"file": "raw/left.txt", "meaning": "days until it failed"}}
    split = {"kind": "source", "train": ["failed"], "test": ["running"]}
    form = _form("remaining_life", failed, split=split) | {
        "data": [failed, running],
        "train": {
            "life": {"per": "row", "unit": "days"},
            "cap": 40,
            "remaining": "left",
            "inputs": ["wear", "noise", "level"],
            "watched": ["load"],
            "window_rows": 10,
            "shorter_windows": [4],
            "edges": [20],
            "features": {"trend": {}, "random_fourier": {"features": 16, "of": "mean"}},
            "penalties": [0.1, 10.0],
            "folds": 4,
            "sample_rows": 256,
            "windows_per_chunk": 16,
        },
    }
    return _write(folder, form, changes)


def esports(folder: Path, games: int = 5, **changes: Any) -> Path:
    """Games of two: lights and what is pressed after them, and heart rates with a gap."""
    for game in range(games):
        for player in "ab":
            key = (23, game, ord(player))
            name = f"g{game}_{player}_{'won' if (game % 2) == (player == 'a') else 'lost'}.csv"
            write_csv(folder / "raw" / f"presses_{name}", "t,kind", presses(150 + 10 * game, key))
            write_csv(folder / "raw" / f"hearts_{name}", "t,bpm", hearts(150 + 10 * game, key))
    common = {
        "format": "csv",
        "read": {"delimiter": ",", "decimal": "."},
        "recordings": {
            "pattern": r"_(?P<game>g\d)_(?P<player>[ab])_(?P<result>won|lost)",
            "id": "{game}-{player}",
            "unit": "{player}-of-{game}",
        },
        "time": {"kind": "column", "column": "t", "unit": "s", "origin": "recording"},
    }
    events = common | {
        "id": "presses",
        "source": "raw/presses_*.csv",
        "channels": [{"name": "kind", "quantity": "index", "unit": "1"}],
    }
    body = common | {
        "id": "hearts",
        "source": "raw/hearts_*.csv",
        "stream": "body",
        "channels": [{"name": "heart", "column": "bpm", "quantity": "heart_rate", "unit": "1/min"}],
    }
    form = _form("esports", events, split={"kind": "group", "by": "game"}) | {
        "data": [events, body],
        "train": {
            "events": {
                "classes": {"light": [1], "press": [2, 3]},
                "actions": ["press"],
                "meaning": "a key that was pressed",
                "block_s": 30,
                "latencies": {
                    "press_after_light": {
                        "begins": ["light"],
                        "answered_by": ["press"],
                        "still_s": 0.5,
                        "meaning": "from a light to the first key",
                    },
                },
                "rows_per_chunk": 16,
            },
            "intensity": {
                "stream": "body",
                "zones": {"heart": {"channel": "heart", "bounds": [110, 130], "source": "made up"}},
                "rows_per_chunk": 16,
            },
        },
        "score": {"winner": {"first_s": 60, "latency": "press_after_light"}},
    }
    return _write(folder, form, changes)


def presses(seconds: float, key: tuple[int, ...]) -> np.ndarray:
    """Time and kind of lights (1), the keys pressed after them (2, 3), and others (9)."""
    rng = np.random.default_rng(key)
    lights = np.cumsum(rng.uniform(0.3, 4.0, size=int(seconds)))
    lights = lights[lights < seconds - 5]
    keys = lights + 0.2 + rng.lognormal(-1.5, 0.4, size=len(lights))
    answered = rng.random(len(lights)) < 0.9
    rows = np.concatenate(
        [
            np.stack([lights, np.ones(len(lights))], axis=1),
            np.stack([keys, 2.0 + (lights > seconds / 2)], axis=1)[answered],
            [[0.0, 9.0], [seconds, 9.0]],
        ]
    ).round(3)
    return rows[np.argsort(rows[:, 0], kind="stable")]


def hearts(seconds: float, key: tuple[int, ...]) -> np.ndarray:
    """Time and heart rate each second, with a gap of half a minute and readings that lack."""
    rng = np.random.default_rng(key)
    time = np.arange(int(seconds))
    rate = 120 + 15 * np.sin(time / 20) + rng.normal(size=len(time))
    rate[rng.random(len(time)) < 0.02] = np.nan
    return np.stack([time, rate.round()], axis=1)[(time < 60) | (time >= 90)]


def worn_pumps(lives: np.ndarray, rows: np.ndarray, key: int) -> np.ndarray:
    """Rows of pumps whose wear reaches 5 at their end, of lives in days, cut after some rows."""
    rng = np.random.default_rng((19, key))
    parts = []
    for pump, (life, count) in enumerate(zip(lives, rows, strict=True)):
        left = life - 1 - np.arange(count)
        wear = 5 * np.exp(-left / 20) + 0.1 * rng.normal(size=count)
        noise, load = rng.normal(size=count), 1 + 0.01 * rng.normal(size=count)
        level = np.full(count, 3.0)
        parts.append(np.stack([np.full(count, pump), load, wear, noise, level], axis=1))
    return np.concatenate(parts)


def write_pumps(file: Path, rows: np.ndarray) -> None:
    """What `worn_pumps` gave, as a table; pumps are whole numbers, for they are names."""
    file.parent.mkdir(parents=True, exist_ok=True)
    forms = ["%d", *["%.5f"] * (rows.shape[1] - 1)]
    header = "pump,load,wear,noise,level"
    np.savetxt(file, rows, fmt=forms, delimiter=",", header=header, comments="")


def hrv(folder: Path, **changes: Any) -> Path:
    """Two persons with three mornings each, one with too many artefacts, and an annotated ECG."""
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    for person in range(2):
        for day in range(3):
            rr = heartbeats(90, (person, day), slower=100 * (person == 1 and day == 2))
            if (person, day) == (0, 2):
                rr[4::7] //= 2  # beats that were counted twice
            text = "".join(f"{value}\n" for value in rr)
            (folder / "raw" / f"p{person}_{day}.txt").write_text(text, encoding="utf-8")
    rr = heartbeats(80, (9, 9))
    stops = np.where(np.arange(80) < 50, 0.0, 30.0)  # the recorder had stopped for half a minute
    beats = np.where(np.arange(80) % 23 == 11, "V", "N")
    lines = [
        f"{time:.3f},{value},{beat}"
        for time, value, beat in zip(np.cumsum(rr) / 1000.0 + stops, rr, beats, strict=True)
    ]
    text = "\n".join(["t,rr,beat", *lines]) + "\n"
    (folder / "raw" / "ecg.csv").write_text(text, encoding="utf-8")
    channels = [{"name": "rr", "quantity": "time", "unit": "ms"}]
    mornings: dict[str, Any] = {
        "id": "mornings",
        "source": "raw/p*.txt",
        "format": "rr",
        "recordings": {
            "pattern": r"(?P<person>p\d)_(?P<day>\d)",
            "id": "{person}-{day}",
            "unit": "{person}",
        },
        "time": {"kind": "column", "column": "time", "unit": "s", "origin": "recording"},
        "channels": channels,
        "labels": {
            "phase": {
                "attribute": "day",
                "meaning": "before or after something",
                "values": {"0": "before", "1": "before", "2": "after"},
            }
        },
    }
    ecg: dict[str, Any] = {
        "id": "ecg",
        "source": "raw/ecg.csv",
        "format": "csv",
        "read": {"delimiter": ",", "decimal": "."},
        "time": {"kind": "column", "column": "t", "unit": "s", "origin": "recording"},
        "channels": channels,
        "labels": {"beat": {"column": "beat", "meaning": "what the beat was, by a reader"}},
    }
    form = _form("hrv", mornings, split={"kind": "none"}) | {
        "data": [mornings, ecg],
        "asset": {"seen_by": "nobody", "recorders": {"mornings": {"resolution_ms": 1}}},
        "train": {
            "normal": {"label": "beat", "values": ["N"]},
            "window_s": 30,
            "block_s": 5,
            "rows_per_chunk": 8,
        },
        "score": {
            "most_artefacts": 0.12,
            "least_covered": 0.8,
            "typical_error": {"kind": "repeats", "label": "phase", "values": ["before"]},
        },
    }
    return _write(folder, form, changes)


def heartbeats(count: int, key: tuple[int, ...], slower: int = 0) -> np.ndarray:
    """Times between beats in whole ms that swing with breathing and drift."""
    rng = np.random.default_rng((23, *key))
    beat = np.arange(count)
    swing = 40 * np.sin(0.25 * 2 * np.pi * beat * (0.8 + 0.4 * rng.uniform()))
    rr = 800 + slower + 0.3 * beat + (1 + slower / 50) * swing + 10 * rng.normal(size=count)
    whole: np.ndarray = np.round(rr).astype(np.int64)
    return whole


def session_load(folder: Path, **changes: Any) -> Path:
    """Twenty sessions of one person on eighteen days with a pause in each, and one of another."""
    for number in range(21):
        person = "b" if number == 20 else "a"
        rows = session_rows(number)
        write_csv(folder / "raw" / f"{person}_{number:02}.csv", "t,w,bpm", rows)
    source = {
        "id": "rides",
        "source": "raw/*.csv",
        "format": "csv",
        "read": {"delimiter": ",", "decimal": "."},
        "recordings": {"pattern": r"(?P<person>[a-z])_(?P<n>\d+)", "unit": "{person}"},
        "time": {"kind": "column", "column": "t", "unit": "s"},
        "channels": [
            {"name": "w", "quantity": "power", "unit": "W", "resolution": 1},
            {"name": "bpm", "quantity": "heart_rate", "unit": "1/min", "resolution": 1},
        ],
    }
    meter: dict[str, Any] = {"measure": "power", "model": "made up", "firmware": "1"}
    errors: dict[str, Any] = {
        "accuracy": {"expanded": 0.02, "k": 2, "source": "made up"},
        "repeatability": {"share": 0.01, "source": "made up"},
    }
    tested: dict[str, Any] = {"person": "a", "date": "2026-01-01", "test": "made up"}
    form = _form("session_load", source, split={"kind": "group", "by": "recording"}) | {
        "asset": {
            "sport": "indoor cycling",
            "page_for": "tests",
            "sensors": [
                meter | {"id": "old"} | errors,
                meter | {"id": "new", "since": "2026-02-10"} | errors,
            ],
            "thresholds": [
                tested | {"kind": "threshold_power", "value": 200},
                tested | {"kind": "max_heart_rate", "value": 190},
                tested | {"kind": "resting_heart_rate", "value": 50},
            ],
            "maximal_efforts": [
                {"recording": f"a_{number:02}", "duration_s": seconds}
                for number, seconds in ((3, 120), (4, 180), (5, 400))
            ],
        },
        "train": {
            "power": {"channel": "w"},
            "heart_rate": {"channel": "bpm"},
            "durations_s": [5, 30, 120, 300],
            "heart_rate_model": {"lags_s": [10, 40], "every_s": 5, "least_s": 60},
            "recordings_per_chunk": 2,
        },
        "score": {
            "zones": {
                "power": {"edges": [0.75, 1.0], "of": "threshold_power", "source": "made up"},
                "heart_rate": {"edges": [120, 150], "source": "made up"},
            },
            "load": {
                "kind": "relative_power",
                "source": "made up",
                "fitness_days": 10,
                "fatigue_days": 3,
            },
            "decoupling": {"skip_s": 30, "least_s": 120, "most_variation": 1.5},
            "compare_s": [30],
        },
    }
    form["rights"]["personal_data"] = "pseudonymous"
    return _write(folder, form, changes)


def session_rows(number: int) -> np.ndarray:
    """Time, whole watts and heart rate, which follows them, of a session of some minutes."""
    rng = np.random.default_rng((23, number))
    seconds = 450 + 11 * (number % 5)
    watts = 150 + 40 * np.sin(np.arange(seconds) / 50.0) + 2 * number
    watts += {3: 150, 4: 120, 5: 70}.get(number, 0) * (np.arange(seconds) >= 20)
    watts = np.round(watts + 5 * rng.normal(size=seconds))
    keep = np.exp(-1 / 40)
    heart, level = np.zeros(seconds), watts[0]
    for second, power in enumerate(watts):
        level = keep * level + (1 - keep) * power
        heart[second] = 60 + 0.4 * level
    heart = np.round(heart + rng.normal(size=seconds))
    day = number + (number > 9)  # a day of rest
    time = 1_770_000_000 + 86_400 * day + np.arange(seconds)
    time = time + 60 * (np.arange(seconds) >= 440)  # a gap
    rows = np.stack([time, watts, heart], axis=1)
    return rows[rng.uniform(size=seconds) < 0.98]


FAMILIES: dict[str, Callable[..., Path]] = {
    "activity": activity,
    "carbon": carbon,
    "ambient": ambient,
    "monitoring": monitoring,
    "bearing": bearing,
    "emission": emission,
    "hrv": hrv,
    "esports": esports,
    "recipe": recipe,
    "remaining_life": remaining_life,
    "session_load": session_load,
    "soft_sensor": soft_sensor,
    "technique": technique,
}


def poled(athlete: int, loaded: int, doing: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    """Forces (N) of two poles and speed (m/s) at 25 Hz, and what was done: 10 to 15 s of each.

    In the double technique both poles push alike, 0.9 times a second; in the single one the right
    pole follows the left by a quarter of a cycle with half its force, 0.7 times a second.
    """
    rng = np.random.default_rng((23, athlete, loaded))
    rows, names = [], []
    for what in doing:
        count = int(25 * rng.uniform(10, 15))
        hertz = {"single": 0.7, "double": 0.9, "glide": 0.0}[what] + 0.02 * athlete
        phase = hertz * np.arange(count) / 25 + rng.uniform()
        force = (120 + 10 * loaded) * (1 + 0.1 * rng.normal())
        share, late = (0.5, 0.25) if what == "single" else (1.0, 0.0)
        push = [np.mod(phase, 1) < 0.3, np.mod(phase - late, 1) < 0.3]
        sides = [
            force * part * on * (what != "glide") for part, on in zip((1, share), push, strict=True)
        ]
        speed = {"single": 2.0, "double": 5.0, "glide": 8.0}[what] + 0.1 * rng.normal(size=count)
        noise = rng.normal(size=(count, 2))
        rows.append(np.concatenate([np.stack(sides, axis=1) + noise, speed[:, None]], axis=1))
        names += [what] * count
    return np.concatenate(rows), names


def quarter_hours(count: int, key: tuple[int, ...]) -> np.ndarray:
    """Rows of time (the end of each quarter), kWh, t/h, kg of CO2 in steps of 5, and shift."""
    rng = np.random.default_rng(key)
    midnight = 1_769_904_000  # 2026-02-01 00:00 UTC, in the middle
    time = midnight + 900 * (np.arange(count) - count // 2 + 1)
    kwh = np.round(rng.gamma(2.0, 10.0, count), 1)
    steam = np.round(rng.uniform(0.0, 2.0, count), 2)
    filed = 5.0 * np.round(0.4 * kwh / 5.0)
    return np.stack([time, kwh, steam, filed, np.arange(count) // 32 % 2], axis=1)


def made_up_factor(value: float, unit: str, expanded: float, scope: int) -> dict[str, Any]:
    """An emission factor of no country."""
    return {
        "value": value,
        "unit": unit,
        "expanded": expanded,
        "k": 2,
        "source": "made up",
        "year": 2026,
        "scope": scope,
        "boundary": "a test",
    }


def turbine_rows(count: int, key: int) -> np.ndarray:
    """Five process values that load and weather move, and NOx, which bends with the load."""
    rng = np.random.default_rng((11, key))
    load, weather = rng.uniform(-1, 1, count), rng.uniform(-1, 1, count)
    columns = [
        20 + 10 * weather,
        1080 + 15 * load - 5 * weather,
        540 - 8 * load + 6 * weather,
        12 + 2 * load - 0.5 * weather,
        130 + 20 * load - 6 * weather,
        60 - 15 * load + 5 * load**2 + 4 * weather,
    ]
    noise = rng.normal(size=(count, 6)) * [0.5, 0.5, 0.3, 0.05, 0.5, 0.5]
    return np.stack(columns, axis=1) + noise


TURBINE = {
    "ambient": ("temperature", "degC", -20, 50),
    "inlet": ("temperature", "degC", 900, 1300),
    "exhaust": ("temperature", "degC", 400, 700),
    "pressure": ("pressure", "bar", 0, 25),
    "power": ("power", "MW", 0, 250),
    "nox": ("mass_concentration", "mg/m3", 0, 500),
}
"""Channels of `turbine_rows`: quantity, unit and credible range."""


def write_turbine(folder: Path, year: str, rows: np.ndarray) -> None:
    """The file of a year of a turbine."""
    write_csv(folder / "raw" / f"gt_{year}.csv", ",".join(TURBINE), rows)


def turbine_source(name: str, files: str) -> dict[str, Any]:
    """A source of a turbine's hourly rows."""
    channels = [
        {"name": channel, "quantity": quantity, "unit": unit, "range": [low, high]}
        for channel, (quantity, unit, low, high) in TURBINE.items()
    ]
    return {
        "id": name,
        "source": files,
        "format": "csv",
        "read": {"delimiter": ",", "decimal": "."},
        "recordings": {"id": "{name}", "unit": "turbine"},
        "time": {"kind": "order", "row": "one hour"},
        "channels": channels,
    }


def write_sines(file: Path, hertz: float, seconds: float, key: tuple[int, ...]) -> None:
    """Two channels of one motion with noise, at 20 Hz."""
    rng = np.random.default_rng(key)
    time = np.arange(round(20 * seconds)) / 20.0
    phase = 2 * np.pi * (hertz * time + rng.uniform())
    signal = np.stack([np.sin(phase), 0.5 * np.cos(phase)], axis=1)
    write_csv(file, "x,y", signal + 0.1 * rng.normal(size=signal.shape))


def impacts(per_second: float, seconds: float, key: tuple[int, ...]) -> np.ndarray:
    """Ringing at 700 Hz after each impact, in noise, at 2 kHz."""
    rng = np.random.default_rng(key)
    time = np.arange(round(2000 * seconds)) / 2000.0
    signal = 0.05 * rng.normal(size=len(time))
    if per_second:
        since = np.mod(time, 1.0 / per_second)
        signal += np.exp(-400.0 * since) * np.sin(2 * np.pi * 700.0 * since)
    return signal


def write_csv(file: Path, header: str, rows: np.ndarray) -> None:
    """A table with a header and five decimals."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [header, *(",".join(f"{value:.5f}" for value in row) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def change(request: Path, **changes: Any) -> Path:
    """Change sections of a request that was written before."""
    return _write(request.parent, yaml.safe_load(request.read_text(encoding="utf-8")), changes)


def line_of(request: Path, text: str) -> int:
    """Number, from 1, of the only line of the request that begins with `text` after blanks."""
    lines = request.read_text(encoding="utf-8").splitlines()
    (found,) = [n for n, line in enumerate(lines, 1) if line.lstrip(" -").startswith(text)]
    return found


def _form(family: str, source: dict[str, Any], split: dict[str, Any]) -> dict[str, Any]:
    """The sections that all families share."""
    return {
        "lumipipe_request": 1,
        "id": f"small-{family}",
        "title": f"A small {family}",
        "question": {
            "decision": "whether the test passes",
            "family": family,
            "unit_of_decision": "one recording",
            "not_to_be_used_for": ["anything but tests"],
        },
        "data": [source],
        "rights": {"owner": "nobody", "personal_data": "none"},
        "evaluation": {"split": split},
        # Many small chunks and pieces, so that ranks have something to share.
        "prepare": {"chunk_bytes": 1024, "shard_bytes": 4096, "workers": 1},
        "compute": {"backend": "numpy"},
    }


def _write(folder: Path, form: dict[str, Any], changes: dict[str, Any]) -> Path:
    """The request file with the changes made."""
    file = folder / "request.yaml"
    text = yaml.safe_dump(_changed(form, changes), sort_keys=False, allow_unicode=True)
    file.write_text(text, encoding="utf-8")
    return file


def _changed(old: Any, changes: Any) -> Any:
    """`old` with mappings merged and entries of lists changed by position."""
    if not isinstance(changes, dict):
        return changes
    if isinstance(old, list) and all(isinstance(key, int) for key in changes):
        return [_changed(item, changes.get(at, {})) for at, item in enumerate(old)]
    if not isinstance(old, dict):
        return old if old is not None and not changes else changes
    merged = {key: _changed(old.get(key), value) for key, value in changes.items()}
    return {key: value for key, value in (old | merged).items() if value is not DROP}
