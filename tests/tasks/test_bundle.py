"""Bundles say what the run said, with NumPy alone; they refuse what they were not made for."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import small_requests
from command import call, one_line
from lumipipe.errors import InputError, StoreError
from lumipipe.families import FAMILIES, activity, bearing, bearing_report
from lumipipe.families.guard import is_inside
from lumipipe.families.interface import Block
from lumipipe.families.life_scores import WindowScores
from lumipipe.families.regression_scores import RegressionScores
from lumipipe.families.remaining_life_report import window_model
from lumipipe.models.ridge import predict
from lumipipe.store.artifact import read_arrays
from lumipipe.tasks.bundle import bundle
from lumipipe.tasks.bundle_parts import _refuse_others, parts
from lumipipe.uncertainty.conformal import margin_scores
from running import ready_request
from tasks.bundles import LAST, MADE, Run, alone, bundled, finished, read_answers, write_columns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REGIMES = {"train": {"regimes": {"channel": "power", "edges": [120.0]}}}
PRICES = {"cost_of_miss": 9, "cost_of_false_alarm": 1}
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "emission": ("emission", {}),
    "regimes": ("emission", REGIMES),
    "recipe": ("recipe", {}),
    "ambient": ("ambient", {}),
    "soft_sensor": (
        "soft_sensor",
        {"question": PRICES | {"event": {"below": 1000, "target": "z"}}},
    ),
    "remaining_life": ("remaining_life", {}),
    "activity": (
        "activity",
        {
            "train": {"features": small_requests.ALL_FEATURES},
            "question": PRICES | {"event": {"classes": ["shake"]}},
        },
    ),
    "bearing": ("bearing", {}),
}
# The same operations on the same numbers; matrix products of fewer rows may sum in another order.
TOLERANCE = 1e-12

Bundled = tuple[Run, "Path"]


@pytest.fixture(scope="module")
def bundle_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Bundled]:
    """The run and the bundle of a name, made once; a test that changes it takes a copy."""
    made: dict[str, Bundled] = {}

    def of(name: str) -> Bundled:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            family, changes = RUNS[name]
            request = getattr(small_requests, family)(folder, **changes)
            run = finished(request, folder / "out")
            made[name] = run, bundled(run.out, folder / "bundle")
        return made[name]

    return of


def test_every_family_with_a_model_is_tried() -> None:
    able = {name for name, family in FAMILIES.items() if hasattr(family, "scorer")}
    assert able == {family for family, _ in RUNS.values()}


def card_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    return content


def stored(run: Run, card: dict[str, Any], first: int, stop: int) -> tuple[Any, dict[str, str]]:
    """Columns of rows as the run had them, and their units."""
    channels = card["model"]["channels"]
    train = getattr(run.job.train, "classifier", None) or run.job.train
    stream = run.job.dataset.streams[train.stream]
    names = [channel.name for channel in stream.channels]
    rows = stream.read_rows(first, stop).astype(np.float64)
    columns = {c["name"]: rows[:, names.index(c["name"])] for c in channels}
    return columns, {c["name"]: c["unit"] for c in channels}


def regression_of(run: Run) -> tuple[Any, list[RegressionScores]]:
    """The regression of a run, and its scored rows by target."""
    family = import_module(f"lumipipe.families.{run.job.request.question.family}")
    if hasattr(family, "regression"):
        found = family.regression(run.job)
        leaves = run.leaves["rows"]
        return found, [
            RegressionScores(found, run.model, leaves, n) for n in range(len(found.targets))
        ]
    name, found = next(iter(family.regressions(run.job).items()))
    edges = run.job.train.regime_edges
    model = window_model(run.model, name)
    return found, [WindowScores(found, model, run.leaves[name], edges=edges)]


def scored_alone(
    folder: Path, where: Path, columns: Any, units: Any, *more: object
) -> dict[str, np.ndarray]:
    """What the bundle prints of columns, by NumPy alone."""
    table = write_columns(where / "r.csv", columns, units)
    said = alone(where / "site", folder / "score.py", table, *more)
    assert said.code in {0, 3}, said
    return read_answers(said.out)


@pytest.mark.parametrize("name", ["emission", "regimes", "ambient", "soft_sensor"])
def test_scores_are_those_of_the_run_with_numpy_alone(
    name: str, bundle_of: Callable[[str], Bundled], tmp_path: Path
) -> None:
    run, folder = bundle_of(name)
    found, scores = regression_of(run)
    columns, units = stored(run, card_of(folder), 0, found.stream.row_count)
    told = scored_alone(folder, tmp_path, columns, units)
    for target, score in zip(found.targets, scores, strict=True):
        rows = score.test
        place = np.searchsorted(told["row"], rows["number"])
        assert (rows["fold"] == found.folds).all()  # the final model, which the bundle has
        own = {key: column[place] for key, column in told.items()}
        answered = own["refused"] == ""
        usable = rows["inside"] & np.isfinite(rows["prediction"])
        np.testing.assert_array_equal(answered, usable)
        assert answered.any()
        for key, expected in (
            (target, rows["prediction"]),
            (f"{target} lower", rows["prediction"] - rows["half_width"]),
            (f"{target} upper", rows["prediction"] + rows["half_width"]),
        ):
            np.testing.assert_allclose(own[key][answered], expected[answered], TOLERANCE, 0)
            assert np.isnan(own[key][~answered]).all()
        for key in ("t2", "spe", "beyond"):
            # SPE is squared, so where it is rounding alone it is equal to that.
            np.testing.assert_allclose(own[key], rows[key], TOLERANCE * 10, 1e-20)


def test_whether_to_act_is_told_by_the_limit_of_the_costs(
    bundle_of: Callable[[str], Bundled], tmp_path: Path
) -> None:
    run, folder = bundle_of("soft_sensor")
    found, _ = regression_of(run)
    limit = run.model.card["decision"]["limits"]["chosen"]
    columns, units = stored(run, card_of(folder), 0, found.stream.row_count)
    told = scored_alone(folder, tmp_path, columns, units)
    acts = np.where(told["z"] < limit, "yes", "no").astype(object)
    answered = told["refused"] == ""
    np.testing.assert_array_equal(told["act"], np.where(answered, acts, ""))
    assert set(told["act"]) == {"yes", "no", ""}
    assert card_of(folder)["model"]["decision"]["limits"]["chosen"] == limit
    assert f"(limit: {limit})" in (folder / "README.txt").read_text().replace("\n", " ")
    plain = bundle_of("emission")[1]
    assert "decision" not in card_of(plain)["model"]


def test_regimes_have_their_own_widths(bundle_of: Callable[[str], Bundled]) -> None:
    """Or the test above would not see them taken for each other."""
    _, folder = bundle_of("regimes")
    arrays, _ = _arrays(folder)
    assert arrays["half_width"].shape == (1, 2)
    assert arrays["half_width"][0, 0] != arrays["half_width"][0, 1]


def _arrays(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    with np.load(folder / "arrays.npz", allow_pickle=False) as content:
        return {name: content[name] for name in content.files}, card_of(folder)


def test_where_all_rows_are_dealt_the_final_model_answers(
    bundle_of: Callable[[str], Bundled], tmp_path: Path
) -> None:
    run, folder = bundle_of("recipe")
    found, _ = regression_of(run)
    columns, units = stored(run, card_of(folder), 0, found.stream.row_count)
    told = scored_alone(folder, tmp_path, columns, units)
    inputs = np.stack([columns[name] for name in found.inputs], axis=1)
    expected = found.answers(run.model, inputs)
    answered = told["refused"] == ""
    half = float(run.model.arrays["final_threshold"][0])
    value = expected["prediction"][answered, 0]
    assert len(value) > 20
    np.testing.assert_allclose(told["strength"][answered], value, TOLERANCE, 0)
    np.testing.assert_allclose(told["strength upper"][answered], value + half, TOLERANCE, 0)
    np.testing.assert_allclose(told["t2"], expected["t2"], TOLERANCE * 10, 0)


def test_windows_of_histories(bundle_of: Callable[[str], Bundled], tmp_path: Path) -> None:
    run, folder = bundle_of("remaining_life")
    found, (scores,) = regression_of(run)
    rows, compared = scores.test, 0
    half = rows["half_width"]
    ends = np.clip(rows["prediction"] - half, 0, 40), np.clip(rows["prediction"] + half, 0, 40)
    for number in np.unique(rows["recording"]):
        mine = rows["recording"] == number
        first, size = (int(a[number]) for a in (found.stream.first_row, found.stream.rows))
        columns, units = stored(run, card_of(folder), first, first + size)
        told = scored_alone(folder, tmp_path, columns, units)
        np.testing.assert_array_equal(told["row"], rows["row"][mine])
        answered = told["refused"] == ""
        np.testing.assert_array_equal(answered, rows["inside"][mine])
        for key, expected in (
            ("remaining life", rows["prediction"]),
            ("remaining life lower", ends[0]),
            ("remaining life upper", ends[1]),
        ):
            # Clipped ends are exactly 0 or the cap.
            np.testing.assert_allclose(
                told[key][answered], expected[mine][answered], TOLERANCE, TOLERANCE
            )
        compared += int(answered.sum())
    assert compared > 10


def test_a_history_too_short_is_refused(
    bundle_of: Callable[[str], Bundled], tmp_path: Path
) -> None:
    run, folder = bundle_of("remaining_life")
    columns, units = stored(run, card_of(folder), 0, 9)
    said = alone(tmp_path / "s", folder / "score.py", write_columns(tmp_path / "r", columns, units))
    assert (said.code, said.out) == (2, "")
    assert "there are 9, and an answer takes 10" in said.err


def classifier_of(run: Run) -> tuple[Any, Any]:
    """The classifier of a run, and its model."""
    if run.job.request.question.family == "activity":
        return activity._classifier(run.job), run.model
    part = bearing.classifiers(run.job)["classifier"]
    return part, bearing_report.classifier_model(run.model, "classifier")


@pytest.mark.parametrize("name", ["activity", "bearing"])
def test_windows_of_signals(name: str, bundle_of: Callable[[str], Bundled], tmp_path: Path) -> None:
    run, folder = bundle_of(name)
    found, model = classifier_of(run)
    stream, plan, compared = found.stream, found.plan, 0
    final = {key: model.arrays[f"final_{key}"] for key in ("mean_x", "mean_y")}
    final["coef"] = model.arrays["final_coef"][None]
    for number in np.unique(plan.recording)[::3]:
        first, size = int(stream.first_row[number]), int(stream.rows[number])
        columns, units = stored(run, card_of(folder), first, first + size)
        told = scored_alone(folder, tmp_path, columns, units, "--rate-hz", found.rate_hz)
        starts = plan.start[plan.recording == number] - first
        np.testing.assert_array_equal(told["row"], starts + plan.length - 1)
        rows = stream.read_rows(first, first + size)
        block = Block(rows, starts, plan.length, starts, 0 * starts, first, {})
        x = np.asarray(found._measure(block, np.arange(len(starts))))
        outputs = predict(final, x)[0]
        watched = found._measure_windows(found._windows(block, np.arange(len(starts))))["levels"]
        judge = np.full(len(starts), found.folds)
        distances = found.guard.distances(run.job.backend, model.arrays, watched, judge)
        for key, column in distances.items():
            np.testing.assert_allclose(told[key], column, TOLERANCE * 10, 0)
        inside = is_inside(model.arrays, distances)
        np.testing.assert_array_equal(told["refused"] == "", inside)
        own = np.stack([told[f"output {c}"] for c in found.classes], axis=1)
        np.testing.assert_allclose(own[inside], outputs[inside], 0, TOLERANCE)
        classes = np.array(found.classes, dtype=object)[np.argmax(outputs, axis=1)]
        np.testing.assert_array_equal(told["class"], np.where(inside, classes, ""))
        in_set = margin_scores(outputs) <= model.arrays["final_threshold"]
        sets = ["|".join(np.array(found.classes)[row]) for row in in_set]
        np.testing.assert_array_equal(told["set"][inside], np.array(sets, dtype=object)[inside])
        compared += int(inside.sum())
        if "decision" in model.card:
            members = [found.classes.index(c) for c in model.card["decision"]["event"]]
            others = [c for c in range(len(found.classes)) if c not in members]
            margin = outputs[:, members].max(axis=1) - outputs[:, others].max(axis=1)
            acts = np.where(margin > model.arrays["final_event_limit"][0], "yes", "no")
            np.testing.assert_array_equal(told["act"][inside], acts.astype(object)[inside])
        assert ("act" in told) == ("decision" in model.card)
    assert compared > 5


def test_signals_unlike_those_that_taught_and_other_rates_are_refused(
    bundle_of: Callable[[str], Bundled],
) -> None:
    run, folder = bundle_of("activity")
    columns, units = stored(run, card_of(folder), 0, 60)
    loaded, rng = load(folder), np.random.default_rng(3)
    for rate, told in ((None, "say that it is 20 Hz"), (25.0, "is 25 Hz, and the model")):
        with pytest.raises(Exception, match=told):
            loaded.score(columns, units, rate)
    noise = {name: 100 * rng.normal(size=60) for name in columns}
    scored = loaded.score(noise, units, 20.0)
    assert scored.refused == len(scored.columns["row"])
    assert set(scored.columns["class"]) == {""}


@pytest.fixture
def rows(bundle_of: Callable[[str], Bundled]) -> tuple[Path, dict[str, np.ndarray], dict[str, str]]:
    """A bundle, with rows that it answers."""
    run, folder = bundle_of("emission")
    columns, units = stored(run, card_of(folder), 0, 40)
    return folder, columns, units


def load(folder: Path, today: date | None = None) -> Any:
    """The bundle as another program has it."""
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(today)


def test_the_order_of_columns_and_others_beside_change_nothing(rows: Any) -> None:
    folder, columns, units = rows
    loaded = load(folder)
    plain = loaded.score(columns, units).columns
    turned = dict(reversed(columns.items())) | {"note": ["text"] * 40}
    other = loaded.score(turned, units).columns
    assert list(plain) == list(other)
    for name in plain:
        np.testing.assert_array_equal(plain[name], other[name])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c, u: c.pop("ambient"), "column ambient: is missing"),
        (
            lambda c, u: c.update(ambients=c.pop("ambient")),
            "is missing; is it ambients, under another name",
        ),
        (lambda c, u: u.update(ambient="K"), "is in K, and the model was taught with degC"),
        (lambda c, u: u.pop("ambient"), "column ambient: has no unit; say that it is in degC"),
        (lambda c, u: c.update(ambient=["warm"] * 40), "column ambient: is no column of numbers"),
        (lambda c, u: c.update(ambient=c["ambient"][1:]), "has 40 rows where ambient has 39"),
        (lambda c, u: c.update(ambient=np.zeros((40, 2))), "has 2 axes"),
    ],
)
def test_what_does_not_fit_is_refused(
    rows: Any, change: Callable[[dict[str, Any], dict[str, str]], object], told: str
) -> None:
    folder, columns, units = rows[0], dict(rows[1]), dict(rows[2])
    change(columns, units)
    with pytest.raises(Exception, match=told.replace("(", r"\(")) as error:
        load(folder).score(columns, units)
    assert type(error.value).__name__ == "InputError"  # the bundle's own


def test_rows_unlike_the_training_data_have_no_number(rows: Any, tmp_path: Path) -> None:
    folder, columns, units = rows
    far = {name: column[:4].copy() for name, column in columns.items()}
    plain = scored_alone(folder, tmp_path, far, units)
    far["ambient"][1] += 1000.0
    far["ambient"][2] = np.nan
    said = alone(tmp_path / "site", folder / "score.py", write_columns(tmp_path / "f", far, units))
    assert said.code == 3
    assert "2 of 4 rows were refused" in said.err
    assert "said" in said.err.splitlines()[0]  # the verdict of the run, which is not supported
    told = read_answers(said.out)
    assert "unlike the training data: T² " in told["refused"][1]
    assert "past the ranges of the inputs" in told["refused"][1]
    assert told["refused"][2] == "a reading is missing"
    assert np.isnan([told["nox"][1], told["nox lower"][1], told["nox upper"][2]]).all()
    np.testing.assert_array_equal(told["nox"][[0, 3]], plain["nox"][[0, 3]])


def test_a_bundle_ends(rows: Any, tmp_path: Path) -> None:
    folder, columns, units = rows
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    for day in (MADE, date.fromisoformat(LAST)):
        assert load(copy, day).score(columns, units).columns["row"].size == 40
    for day, told in ((date(3000, 1, 1), "has expired"), (date(2023, 12, 31), "valid from")):
        with pytest.raises(Exception, match=told):
            load(copy, day)
    card = card_of(copy) | {"valid_until": "2024-01-02"}
    (copy / "card.json").write_text(json.dumps(card), encoding="utf-8")
    resign(copy)
    said = alone(tmp_path / "s", copy / "score.py", write_columns(tmp_path / "r", columns, units))
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "this bundle has expired: valid until 2024-01-02" in said.err


def resign(folder: Path) -> None:
    """Make the list of digests that of the files as they are."""
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    names = [line.split("  ", 1)[1] for line in lines]
    sums = [f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


@pytest.mark.parametrize("name", ["arrays.npz", "card.json", "parts/models/ridge.py", "score.py"])
def test_a_flipped_bit_is_found_and_named(rows: Any, tmp_path: Path, name: str) -> None:
    folder, columns, units = rows
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    content = bytearray((copy / name).read_bytes())
    content[-2] ^= 1  # in score.py, and in the module, the end of the last line
    if name == "score.py":
        content += b"\n"
        content[-3] ^= 1
    (copy / name).write_bytes(content)
    said = alone(tmp_path / "s", copy / "score.py", write_columns(tmp_path / "r", columns, units))
    assert (said.code, said.out) == (2, "")
    assert said.err == f"score.py: {name}: was changed or damaged; get the bundle again\n"


def test_a_missing_file_and_one_too_many_are_found(rows: Any, tmp_path: Path) -> None:
    folder, columns, units = rows
    table = write_columns(tmp_path / "r", columns, units)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "parts" / "more.py").write_text("", encoding="utf-8")
    said = alone(tmp_path / "s", copy / "score.py", table)
    assert (said.code, "parts/more.py: is no part" in said.err) == (2, True)
    (copy / "parts" / "more.py").unlink()
    (copy / "arrays.npz").unlink()
    said = alone(tmp_path / "s", copy / "score.py", table)
    assert (said.code, "arrays.npz: is missing" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("ambient [degC]\nwarm\n", ":2: column 1 is no number"),
        ("a,ambient [degC]\n1\n", ":2: is too short"),
        ("ambient [degC],ambient [K]\n1,2\n", "column ambient: is there twice"),
        ("ambient [degC]\n1\n", "is missing"),
    ],
)
def test_a_wrong_table_is_one_line(rows: Any, tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text, encoding="utf-8")
    said = alone(tmp_path / "s", rows[0] / "score.py", path)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert told in said.err


def test_two_bundles_in_one_program(bundle_of: Callable[[str], Bundled], rows: Any) -> None:
    run, other = bundle_of("recipe")
    found, _ = regression_of(run)
    columns, units = stored(run, card_of(other), 0, 8)
    one, two = load(rows[0]), load(other)
    assert type(one) is not type(two)
    assert "nox" in one.score(rows[1], rows[2]).columns
    assert found.targets[0] in two.score(columns, units).columns


def test_the_card_says_what_the_run_said(bundle_of: Callable[[str], Bundled]) -> None:
    run, folder = bundle_of("emission")
    card = card_of(folder)
    result = json.loads((run.out / "result.json").read_text(encoding="utf-8"))
    for name in ("verdict", "answer"):
        assert card[name] == result[name]
    assert card["not_to_be_used_for"] == run.job.request.question.not_to_be_used_for
    assert card["owner"] == run.job.request.rights.owner
    assert card["coverage"]["achieved"] == result["coverage"]["achieved"]
    assert card["model"]["targets"] == [{"name": "nox", "unit": "mg/m3"}]
    assert (card["valid_from"], card["valid_until"]) == ("2024-01-01", LAST)
    digest = hashlib.sha256((run.out / "request.yaml").read_bytes()).hexdigest()
    assert card["digests"]["request"] == digest
    assert "ambient [degC]" in (folder / "README.txt").read_text(encoding="utf-8")


def test_equal_runs_make_equal_bundles(bundle_of: Callable[[str], Bundled], tmp_path: Path) -> None:
    run, folder = bundle_of("emission")
    again = bundled(run.out, tmp_path / "again")
    assert (again / "SHA256SUMS").read_bytes() == (folder / "SHA256SUMS").read_bytes()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("day", "told"),
    [(None, "is not given"), ("next year", "is no day"), ("2023-12-31", "lies before 2024-01-01")],
)
def test_no_bundle_is_for_ever(
    bundle_of: Callable[[str], Bundled], tmp_path: Path, day: str | None, told: str
) -> None:
    run, _ = bundle_of("emission")
    with pytest.raises(InputError, match=told):
        bundle(run.out, tmp_path / "b", day, print, MADE)
    assert not (tmp_path / "b").exists()


def test_what_has_no_model_is_refused(bundle_of: Callable[[str], Bundled], tmp_path: Path) -> None:
    run = finished(small_requests.carbon(tmp_path), tmp_path / "out")
    with pytest.raises(InputError, match="the family carbon has no model"):
        bundle(run.out, None, LAST, print)
    assert not (run.out / "bundle").exists()
    line = one_line(call("bundle", tmp_path, "--valid-until", LAST))
    assert "is not the folder of a run" in line
    taken = bundle_of("emission")
    with pytest.raises(InputError, match="is there already"):
        bundle(taken[0].out, taken[1], LAST, print)


def test_a_damaged_run_makes_no_bundle(bundle_of: Callable[[str], Bundled], tmp_path: Path) -> None:
    run, _ = bundle_of("emission")
    copy = tmp_path / "out"
    shutil.copytree(run.out, copy)
    (model,) = copy.glob("score/*/scorer.npz")
    content = bytearray(model.read_bytes())
    content[200] ^= 1
    model.write_bytes(content)
    with pytest.raises(StoreError, match=r"scorer\.npz: the content of this file was changed"):
        bundle(copy, tmp_path / "b", LAST, print)


def test_the_parts_are_lumipipe_itself() -> None:
    """Each line but those of imports is that of the module."""
    from pathlib import Path  # noqa: PLC0415

    import lumipipe  # noqa: PLC0415

    home = Path(lumipipe.__file__).parent
    found = parts()
    for name, text in found.items():
        if name == "__init__.py":
            continue
        own = (home / name).read_text(encoding="utf-8")
        changed = [
            line
            for line, same in zip(text.splitlines(), own.splitlines(), strict=True)
            if line != same
        ]
        assert all(line.lstrip().startswith("from .") for line in changed), name
    assert "models/ridge.py" in found
    with pytest.raises(RuntimeError, match="imports scipy"):
        _refuse_others("lumipipe.models.ridge", ["scipy"])


def test_scorers_are_small(bundle_of: Callable[[str], Bundled]) -> None:
    """No row of the data is in a bundle: its arrays do not grow with them."""
    run, folder = bundle_of("emission")
    (made,) = run.out.glob("score/*/scorer.npz")
    arrays, _ = read_arrays(made)
    rows = run.job.dataset.streams[run.job.train.stream].row_count
    assert all(rows not in array.shape for array in arrays.values())
    assert {p.name for p in folder.iterdir()} - {"__pycache__"} == {
        *("README.txt", "SHA256SUMS", "arrays.npz", "card.json", "parts", "score.py"),
    }


@pytest.mark.real
@pytest.mark.slow
def test_the_gas_turbine_of_another_year(tmp_path: Path, real_data: Path) -> None:
    """R33: its scores are those of the run within 1e-12, and rows outside the guard are refused."""
    run = finished(ready_request("gas-turbine", tmp_path, real_data), tmp_path / "out")
    folder = bundled(run.out, tmp_path / "bundle")
    found, (score,) = regression_of(run)
    columns, units = stored(run, card_of(folder), 0, found.stream.row_count)
    rows = score.test
    year = {name: column[rows["number"]] for name, column in columns.items()}
    told = scored_alone(folder, tmp_path, year, units)
    answered = told["refused"] == ""
    np.testing.assert_array_equal(answered, rows["inside"])
    assert (len(answered), int((~answered).sum())) == (7158, 57)
    for key, expected in (
        ("NOX", rows["prediction"]),
        ("NOX lower", rows["prediction"] - rows["half_width"]),
        ("NOX upper", rows["prediction"] + rows["half_width"]),
    ):
        np.testing.assert_allclose(told[key][answered], expected[answered], TOLERANCE, 0)
