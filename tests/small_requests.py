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


FAMILIES: dict[str, Callable[..., Path]] = {
    "activity": activity,
    "carbon": carbon,
    "ambient": ambient,
    "monitoring": monitoring,
    "bearing": bearing,
    "emission": emission,
    "recipe": recipe,
    "remaining_life": remaining_life,
    "soft_sensor": soft_sensor,
}


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
