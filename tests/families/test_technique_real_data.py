"""The set of roller skiers: what peers reach on the same windows, never a figure of the set.

These are data of persons without a licence. Nothing here spells a figure; bounds are those of a
peer in the same test, or of arithmetic on the file itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from conftest import REAL_DATA
from lumipipe.config import Channel, Prepare, Recordings, Source, TimeColumn
from lumipipe.kernels.cycles import contact_state, onsets
from lumipipe.readers.recording import read_recordings
from lumipipe.store.dataset import open_dataset
from running import answer, ready_request

if TYPE_CHECKING:
    from pathlib import Path

    from running import Done

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, real_folder: Path) -> Done:
    data = skiers(real_folder)
    folder = tmp_path_factory.mktemp("rollerski")
    return answer(ready_request("rollerski", folder, data.parent), folder / "out")


@pytest.fixture(scope="module")
def real_folder() -> Path:
    """The folder of all sets, for as long as the module runs."""
    return REAL_DATA


def skiers(data: Path) -> Path:
    """The folder of the set; the test is skipped, and says so, where it is absent."""
    folder = data / "xc-rollerski"
    if not folder.is_dir():
        pytest.skip(f"the skiers' files are not here ({folder})")
    return folder


def metric(done: Done, name: str) -> Any:
    return next(m for m in done.result.metrics if m.name == name)


def test_no_worse_than_a_random_forest_on_window_statistics(done: Done) -> None:
    """Athletes held out, the same windows, taught and judged away from changes, for both."""
    forests = pytest.importorskip("sklearn.ensemble")
    f1_score = pytest.importorskip("sklearn.metrics").f1_score
    windows = pq.read_table(done.product("score") / "windows.parquet").to_pandas()
    windows = windows[~windows["near_change"]]
    x, athletes = window_statistics(done, windows)
    truth = windows["truth"].to_numpy().astype(str)
    predicted = np.empty_like(truth)
    for athlete in np.unique(athletes):
        train = athletes != athlete
        forest = forests.RandomForestClassifier(200, random_state=0, n_jobs=1)
        predicted[~train] = forest.fit(x[train], truth[train]).predict(x[~train])
    peer = f1_score(truth, predicted, average="macro")
    assert metric(done, "macro_f1").value >= peer
    shares = np.unique(truth, return_counts=True)[1] / len(truth)
    always = 2 * shares.max() / (1 + shares.max()) / len(shares)
    assert peer > 1.5 * always  # a baseline that names one technique only would prove nothing


def window_statistics(done: Done, windows: Any) -> tuple[np.ndarray, np.ndarray]:
    """Mean, deviation, minimum, maximum and quartiles of each input of each window."""
    dataset = open_dataset(done.stages["prepare"].manifest)
    unit = {row.id: row.unit for row in dataset.recordings}
    stream = dataset.streams["main"]
    beside = {"cycle count", "heart rate"}  # no inputs of the classifier either
    inputs = [i for i, c in enumerate(stream.channels) if c.name not in beside]
    rows = stream.read_rows(0, stream.row_count)[:, inputs]
    x = rows[windows["first_row"].to_numpy()[:, None] + np.arange(3)]
    quartiles = np.quantile(x, [0.25, 0.5, 0.75], axis=1)
    statistics = [x.mean(1), x.std(1), x.min(1), x.max(1), *quartiles]
    return np.concatenate(statistics, axis=1), windows["recording"].map(unit).to_numpy()


def test_each_figure_has_its_interval_over_athletes(done: Done) -> None:
    named: dict[str, Any] = {m.name: m for m in done.result.metrics}
    for name in (
        "macro_f1",
        "macro_f1_at_changes",
        "macro_f1_personal",
        "macro_f1_personal_gain",
        "macro_f1_with rifle",
        "macro_f1_without rifle",
    ):
        found = named[name]
        assert found.lower < found.value < found.upper
        assert found.count == 4
        assert "too narrow" in found.note
    assert named["macro_f1_at_changes"].value < named["macro_f1"].value
    coverage = done.result.coverage
    assert coverage is not None
    assert coverage.lower is not None
    assert coverage.upper is not None
    assert coverage.lower <= coverage.nominal <= coverage.upper


def test_four_athletes_and_copied_labels_are_told(done: Done) -> None:
    assert done.result.verdict != "supported"
    questions = " ".join(item.question for item in done.result.not_answered)
    for words in ("next athlete", "rifle change the technique", "personal model", "harder"):
        assert words in questions
    reasons = " ".join(item.reason for item in done.result.not_answered)
    assert all(f"{a}-NR and {a}-WR" in reasons for a in (3, 7, 8, 9))


def test_no_position_leaves_the_reader(done: Done) -> None:
    channels = {
        c.name for c in open_dataset(done.stages["prepare"].manifest).streams["main"].channels
    }
    assert not {name for name in channels if "itude" in name or "distance" in name}


def test_exports_of_the_instrument_are_read_row_by_row(real_folder: Path) -> None:
    """The header's last field is a note and rows end in a comma; times are Unix seconds."""
    for file in sorted((skiers(real_folder) / "raw_1hz").glob("*.csv")):
        lines = file.read_text(encoding="utf-8").splitlines()
        source = exported(file)
        (found,) = read_recordings(source, file, Prepare(), "request.yaml:1")
        stream = found.streams["main"]
        assert len(stream.values) == len(lines) - 1
        assert stream.rate_hz == pytest.approx(1.0)
        column = lines[0].split(",").index("frequency_ppm")
        rate = [float(line.split(",")[column]) for line in lines[1:]]
        assert stream.values[:, 0].tolist() == rate


def exported(file: Path) -> Source:
    """The vendor's export as a request would declare it."""
    return Source(
        id="export",
        source=str(file),
        format="csv",
        read={"delimiter": ",", "decimal": "."},
        recordings=Recordings(pattern=r"BIA24-(?P<athlete>\d+)", unit="{athlete}"),
        time=TimeColumn(kind="column", column="tt_s", unit="s", rate_hz=1.0),
        channels=[
            Channel(name="rate", column="frequency_ppm", quantity="cadence", unit="1/min"),
            Channel(name="force", column="force_meanl_n", quantity="force", unit="N"),
        ],
    )


def test_cycles_of_raw_forces(real_folder: Path, tmp_path: Path) -> None:
    """Both poles are planted equally often, and two ways of counting agree in most windows."""
    folder = skiers(real_folder)
    found = answer(ready_request("rollerski-forces", tmp_path, folder.parent), tmp_path / "out")
    table = pq.read_table(found.product("score") / "cycles.parquet").to_pandas()
    rate = table["cycle rate (1/min)"]
    difference = (rate - table["rate, counted another way (1/min)"]).dropna()
    assert len(difference) > 0.4 * len(table)
    # A sample of 100 a second in 10 s is a thousandth of a rate; half a cycle at each end is more.
    assert abs(difference.median()) < 0.01 * rate.median()
    assert (difference.abs() < 0.05 * rate.median()).mean() > 0.8
    assert any("instrument's own" in item.question for item in found.result.not_answered)
    (file,) = (folder / "raw_100hz").glob("*.csv.gz")
    forces = np.loadtxt(file, delimiter=",", skiprows=1)[:, 1:]
    left, right = onsets(contact_state(forces, 30.0, 15.0)).sum(axis=0)
    assert abs(left - right) < 0.03 * max(left, right)
