"""No number of one window of one person stands in a model, a bundle or a packet of persons."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from command import call
from lumipipe.backend import choose_backend
from lumipipe.families.activity import _classifier
from lumipipe.families.grouped_ridge import outputs_of_fold
from lumipipe.features import measure_features
from lumipipe.kernels.windows import levels, window_batch
from lumipipe.models.monitor import contributions
from lumipipe.pool.packets import packet_from
from lumipipe.tasks.request import load_request
from lumipipe.tasks.stages import read_plan
from lumipipe.tasks.train import open_job
from lumipipe.uncertainty.conformal import margin_scores
from lumipipe.uncertainty.scores import rounded_up
from pooled import persons, run
from small_requests import change

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

NAMES = [f"oulu-{name}" for name in ("ada", "bo", "cai", "dee", "eva")]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a request about persons, with bundle and packet."""
    request = persons(tmp_path_factory.mktemp("persons"), NAMES)
    folder = run(request)
    assert call("bundle", folder, "--valid-until", "2999-12-31").code == 0
    packet = request.parent / "oulu.packet"
    assert call("packet", "make", folder, "--site", "oulu", "--out", packet).code == 0
    return folder


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    """The arrays in a file."""
    with np.load(path) as found:
        return {name: found[name] for name in found.files}


def numbers_of_windows(out: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Samples, levels, features, outputs, margins and distances of each window of each person."""
    plan = read_plan(out / "plan.json")
    job = open_job(load_request(plan.request), plan.stages, choose_backend("numpy"))
    classifier = _classifier(job)
    stream = classifier.stream
    (model,) = out.glob("train/*/model.npz")
    arrays = arrays_of(model)
    parameters = {n: arrays[f"fold_{n}"] for n in ("coef", "mean_x", "mean_y")}
    starts, recording = classifier.plan.start, classifier.plan.recording
    rows = np.asarray(stream.read_rows(0, stream.row_count), dtype=np.float64)
    yield "samples", rows
    windows = window_batch(rows, starts, classifier.window_rows).astype(np.float32)
    seen = levels(windows, classifier.scales)
    yield "levels", seen
    features = measure_features(classifier.features, windows, classifier.rate_hz)
    yield "features", features
    yield "features in double precision", np.asarray(features, dtype=np.float64)
    for fold in range(classifier.folds):
        outputs = outputs_of_fold(parameters, features, np.full(len(recording), fold))
        yield "outputs", outputs
        yield "margins", margin_scores(outputs)
        guard = {n[6:]: a[fold] for n, a in arrays.items() if n.startswith("guard_")}
        yield from contributions(guard, seen).items()


def test_no_number_of_a_window_stands_in_a_model_a_bundle_or_a_packet(out: Path) -> None:
    own: set[float] = set()
    extremes = 0
    for _, numbers in numbers_of_windows(out):
        flat = np.asarray(numbers, dtype=np.float64).reshape(-1)
        own |= set(flat[np.isfinite(flat)].tolist())
        extremes += 1
    assert extremes > 10
    # Numbers of few digits, such as shares and frequencies, tell of nobody.
    own -= {number for number in own if float(rounded_up(np.array([number]))[0]) == number}
    (model,) = out.glob("train/*/model.npz")
    packet = packet_from((out.parent / "oulu.packet").read_bytes(), "test")
    made = {
        "model": arrays_of(model),
        "bundle": arrays_of(out / "bundle" / "arrays.npz"),
        "packet": dict(packet.sites[0].state),
    }
    for what, arrays in made.items():
        assert arrays
        for name, array in arrays.items():
            values = np.asarray(array, dtype=np.float64).reshape(-1)
            assert not own & set(values[np.isfinite(values)].tolist()), f"{what}: {name}"
        assert not [n for n in arrays if n.endswith(("_low", "_high", ".low", ".high"))]


def test_the_test_finds_what_it_looks_for(out: Path) -> None:
    # Of machines, least and greatest levels are kept, and are found.
    request = change(out.parent / "request.yaml", rights={"personal_data": "none"})
    shutil.rmtree(out / "train")
    again = run(request)
    levels_of = [numbers for name, numbers in numbers_of_windows(again) if name == "levels"]
    own = set(np.asarray(levels_of[0], dtype=np.float64).reshape(-1).tolist())
    models = [arrays_of(path) for path in again.glob("train/*/model.npz")]
    (arrays,) = [found for found in models if "guard_low" in found]
    assert own & set(arrays["guard_low"].reshape(-1).tolist())
