"""Techniques of made-up athletes: margins, personal models, copied labels, what few can carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from lumipipe.errors import InputError
from lumipipe.families.technique_labels import agreement
from lumipipe.partition import Span
from lumipipe.tasks.request import load_request
from running import answer
from small_requests import DROP, technique

if TYPE_CHECKING:
    from pathlib import Path

    from running import Done

pytestmark = pytest.mark.slow


def metric(done: Done, name: str) -> Any:
    return next(m for m in done.result.metrics if m.name == name)


def table(done: Done, title: str) -> Any:
    return next(
        figure
        for section in done.result.sections
        for figure in section.figures
        if figure.title == title
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("technique")
    changes: dict[str, Any] = {"evaluation": {"metrics": {"macro_f1": ">= 0.6"}}}
    return answer(technique(folder, **changes), folder / "out")


def test_made_up_techniques_are_recognised(done: Done) -> None:
    assert metric(done, "macro_f1").value > 0.9
    assert metric(done, "macro_f1_personal").value > 0.8
    assert metric(done, "macro_f1").value >= metric(done, "macro_f1_at_changes").value


def test_four_athletes_support_nothing(done: Done) -> None:
    """All lie above the bound, and still nobody can promise it of a fifth."""
    found = metric(done, "macro_f1")
    assert found.lower > 0.6
    assert found.met is None
    assert done.result.verdict == "inconclusive"
    assert "More athletes" in done.result.would_change
    assert any("next athlete" in item.question for item in done.result.not_answered)


def test_six_athletes_may_support_it(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"evaluation": {"metrics": {"macro_f1": ">= 0.6"}}}
    six = answer(technique(tmp_path, athletes=6, **changes), tmp_path / "out")
    assert six.result.verdict == "supported"
    assert not any("next athlete" in item.question for item in six.result.not_answered)


def test_windows_near_changes_are_told_apart(done: Done) -> None:
    """Near means: another label within a second of the three that are judged."""
    windows = pq.read_table(done.product("score") / "windows.parquet").to_pandas()
    rows, near = windows["first_row"].to_numpy(), windows["near_change"].to_numpy()
    assert 0.2 < near.mean() < 0.8
    counts = done.result.counts
    assert counts["windows near changes"] == near.sum()
    assert counts["windows away from changes"] == (~near).sum()
    assert metric(done, "macro_f1").count == 4
    assert (rows >= 25).all()  # a margin lies before the first


def test_nothing_leaks_and_scales_are_from_windows_away_from_changes(done: Done) -> None:
    found = {test.name: test.status for test in done.result.leakage}
    assert found == {
        "unit": "none",
        "recording": "none",
        "rows": "none",
        "copies": "not_tested",
        "scaler": "none",
    }


def test_a_personal_model_is_of_the_other_recording(tmp_path: Path) -> None:
    """Athletes whose two recordings have the names of two techniques exchanged: fooled by them."""
    request = technique(tmp_path)
    for file in sorted((tmp_path / "raw").glob("*_loaded.csv")):
        text = file.read_text(encoding="utf-8").replace(",single", ",x")
        text = text.replace(",double", ",single").replace(",x", ",double")
        file.write_text(text, encoding="utf-8")
    exchanged = answer(request, tmp_path / "out")
    windows = pq.read_table(exchanged.product("score") / "windows.parquet").to_pandas()
    pushed = windows[~windows["near_change"] & (windows["truth"] != "glide")]
    assert (pushed["own_recognised"] == pushed["truth"]).mean() < 0.2


def test_an_athlete_with_one_recording_has_no_personal_model(tmp_path: Path) -> None:
    request = technique(tmp_path, train={"condition": DROP})
    for file in (tmp_path / "raw").glob("*_loaded.csv"):
        file.unlink()
    alone = answer(request, tmp_path / "out")
    assert not any(m.name.startswith("macro_f1_personal") for m in alone.result.metrics)
    windows = pq.read_table(alone.product("score") / "windows.parquet").to_pandas()
    assert set(windows["own_recognised"]) == {""}


def test_copied_labels_are_found_and_said(tmp_path: Path) -> None:
    request = technique(tmp_path)
    for bare in sorted((tmp_path / "raw").glob("*_bare.csv")):
        other = bare.with_name(bare.name.replace("bare", "loaded"))
        one, two = (f.read_text(encoding="utf-8").splitlines() for f in (bare, other))
        rows = min(len(one), len(two))
        # Six changes each, at the same rows: the two halves follow each other.
        for file, lines in ((bare, one), (other, two)):
            names = [line.rsplit(",", 1)[1] for line in one[1:rows]]
            body = [
                f"{line.rsplit(',', 1)[0]},{name}"
                for line, name in zip(lines[1:rows], names, strict=True)
            ]
            file.write_text("\n".join([lines[0], *body, *body]) + "\n", encoding="utf-8")
    copied = answer(request, tmp_path / "out").result
    questions = [item.question for item in copied.not_answered]
    assert "How good is a personal model?" in questions
    assert any("harder to recognise" in question for question in questions)
    words = " ".join(text for section in copied.sections for text in section.paragraphs)
    assert "Do not believe the personal rows" in words


def test_own_labels_are_not_called_copied(done: Done) -> None:
    assert not any("personal model" in item.question for item in done.result.not_answered)


def test_agreement_of_labels_counts_from_the_start_of_each_part() -> None:
    one = np.repeat(np.array([0, 1, 2, 1, 0, 2, 1], dtype=np.int16), 10)
    late = np.roll(one, 1)
    codes = np.concatenate([one, one, late])
    whole = [Span(70 * i, 70 * (i + 1)) for i in range(3)]
    assert agreement(codes, [whole[0]], [whole[1]]) == 1.0
    shifted = agreement(codes, [whole[0]], [whole[2]])
    assert shifted is not None
    assert shifted == pytest.approx(1 - 6 / 60)  # one row at each of six starts, of 60 compared
    assert agreement(codes, [whole[0]], whole[1:]) is None
    assert agreement(codes[:20], [Span(0, 10)], [Span(10, 20)]) is None


def test_cycles_are_those_that_were_made(done: Done) -> None:
    """0.7 and 0.9 pushes a second and 0.02 more for each athlete: 43.8 and 55.8 a minute."""
    cycles = table(done, "Cycles by technique")
    heads = [column.label for column in cycles.columns]
    rate = next(row for row in cycles.rows if str(row[0]).startswith("cycle rate"))
    # An onset is known to a sample in 25; two cycles or more take two seconds or more.
    for name, made in (("single", 43.8), ("double", 55.8)):
        assert rate[heads.index(name)].value == pytest.approx(made, rel=0.02)
    unlike = next(row for row in cycles.rows if "of both impulses" in str(row[0]))
    assert unlike[heads.index("single")].value == pytest.approx(100 / 3, rel=0.1)
    assert abs(unlike[heads.index("double")].value) < 3
    assert "glide" not in heads


def test_two_conditions_are_compared_within_athletes(done: Done) -> None:
    names = [figure.title for section in done.result.sections for figure in section.figures]
    (name,) = [title for title in names if title.startswith("What differs")]
    compared = table(done, name)
    force = next(row for row in compared.rows if str(row[0]).startswith("peak force, left"))
    assert force[3].lower <= force[2] - force[1] <= force[3].upper
    assert [column.label for column in compared.columns][1:3] == ["bare", "loaded"]


def test_cycles_alone_need_no_labels(tmp_path: Path) -> None:
    request = technique(
        tmp_path,
        data={0: {"labels": DROP}},
        evaluation={"split": {"kind": "none", "by": DROP}},
        train={"classifier": DROP, "condition": DROP},
    )
    found = answer(request, tmp_path / "out")
    assert found.result.counts["windows with cycles"] > 0
    cycles = pq.read_table(found.product("score") / "cycles.parquet").to_pandas()
    difference = cycles["cycle rate (1/min)"] - cycles["rate, counted another way (1/min)"]
    # Most windows hold one technique; a sample is 1/25 s of some 2 s, which is 2 % of 60 a minute.
    assert abs(difference.median()) < 1.2
    assert any("instrument's own" in item.question for item in found.result.not_answered)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"evaluation": {"split": {"by": "recording"}}}, "athletes are held out"),
        ({"train": {"classifier": DROP}}, "nothing is learnt without train.classifier"),
        ({"train": {"condition": "rifle"}}, "condition rifle is no label"),
        ({"train": {"cycles": {"beside": ["height"]}}}, "height is no channel"),
        ({"train": {"classifier": {"inputs": ["height"]}}}, "height is no channel"),
        ({"train": {"cycles": {"begins": 5.0}}}, "ends is above begins"),
        ({"train": {"cycles": {"window_s": 2.0}}}, "window_s holds less than two of the slowest"),
        ({"train": {"classifier": DROP, "cycles": DROP}}, "nothing is asked for"),
    ],
)
def test_wrong_requests_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_request(technique(tmp_path, **changes))
