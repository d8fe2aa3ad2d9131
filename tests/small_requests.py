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
    "monitoring": monitoring,
    "bearing": bearing,
    "recipe": recipe,
    "remaining_life": remaining_life,
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
