"""The plan that is registered before anything is scored, and what differs from it afterwards."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from command import call, one_line
from lumipipe.pool.log import entries
from lumipipe.tasks.registered import changes
from small_requests import change, monitoring

if TYPE_CHECKING:
    from pathlib import Path

    from command import Said

SIGNED = {"plan_signed": True, "metrics": {"false_alarm_rate": "<= 0.5"}}
VERBS = ("prepare", "train", "score", "report")
STRICTER = {"evaluation": {"metrics": {"false_alarm_rate": "<= 0.1"}}}
METRIC = "evaluation.metrics.false_alarm_rate"


def done(request: Path, *verbs: str) -> Said:
    """What the last of `verbs`, all of them where none is named, said."""
    for verb in verbs or VERBS:
        said = call(verb, request, "--out", request.parent / "out")
        assert said.code == 0, said
    return said


def result(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "result.json").read_text(encoding="utf-8"))
    return content


def log_of(out: Path) -> list[dict[str, Any]]:
    return entries(out / "registered" / "log.jsonl")


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The request of a run that is done as planned, which no test may touch."""
    request = monitoring(tmp_path_factory.mktemp("signed"), evaluation=SIGNED)
    said = call("plan", request, "--register", "--out", request.parent / "out")
    assert said.code == 0, said
    assert said.out.startswith("plan 1 is registered: sha256 ")
    assert not (request.parent / "out" / "score").exists()
    done(request)
    return request


@pytest.fixture
def own(scored: Path, tmp_path: Path) -> Path:
    shutil.copytree(scored.parent, tmp_path / "own", copy_function=shutil.copyfile)
    return tmp_path / "own" / scored.name


def test_the_plan_stands_before_the_score_and_its_file_has_its_digest(scored: Path) -> None:
    out = scored.parent / "out"
    plan, scoring = log_of(out)
    assert (plan["kind"], scoring["kind"]) == ("plan", "scoring")
    content = (out / "registered" / "plan-1.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == plan["sha256"] == scoring["sha256"]
    said = json.loads(content)
    assert said["evaluation"]["metrics"] == SIGNED["metrics"]
    assert said["train"]["alpha"] == 0.05
    assert "scored once" in said["evaluation"]["stopping_rule"]
    told = result(out)
    assert told["plan"] == {"number": 1, "sha256": plan["sha256"], "notes": []}
    assert told["deviations"] == []
    assert told["run"]["plan_registered"] == plan["time"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert plan["sha256"] in page
    assert "Nothing differs from it." in page


def test_a_second_score_with_the_same_plan_is_recognised(own: Path) -> None:
    out = own.parent / "out"
    (manifest,) = (out / "score").glob("*.json")
    before = {p.name: p.read_bytes() for p in manifest.with_suffix("").iterdir()}
    shutil.rmtree(out / "score")
    done(own, "score", "report")
    assert {p.name: p.read_bytes() for p in manifest.with_suffix("").iterdir()} == before
    assert [line["kind"] for line in log_of(out)] == ["plan", "scoring"]
    assert result(out)["deviations"] == []


CHANGES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "condition": (STRICTER, METRIC, "<= 0.5", "<= 0.1"),
    "split": (
        {"evaluation": {"split": {"train_first_rows": 42}}},
        "evaluation.split.train_first_rows",
        "40",
        "42",
    ),
    "settings": ({"train": {"alpha": 0.1}}, "train.alpha", "0.05", "0.1"),
    "seed": ({"evaluation": {"seed": 9}}, "evaluation.seed", "1", "9"),
    "rows": ({"data": {0: {"rows": [0, 58]}}}, "data.plant.declared.rows", "null", "[0, 58]"),
    "threshold": (
        {"question": {"will_act_if": "twice above"}},
        "question.will_act_if",
        "null",
        "twice above",
    ),
    "unsigned": ({"evaluation": {"plan_signed": False}}, "evaluation.plan_signed", "true", "false"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_after_the_score_is_named_on_page_1(own: Path, name: str) -> None:
    sections, place, before, after = CHANGES[name]
    out = own.parent / "out"
    shutil.rmtree(out / "score")  # washes nothing out
    shutil.rmtree(out / "report")
    done(change(own, **sections))
    expected = [{"name": place, "before": before, "after": after}]
    assert result(out)["deviations"] == expected
    page = (out / "report.html").read_text(encoding="utf-8")
    assert f"<code>{place}</code>" in page
    assert page.index(place) < page.index("What this answer is about")
    assert "Warning: this is not the plan" in page


def test_page_1_shows_the_first_of_many_deviations(own: Path) -> None:
    known = {"resolution": 0.01, "scale": 2.0, "range": [-99, 99]}
    channels = {n: {"sensor": f"s{n}", **known} for n in range(5)}
    extra = {"question": {"cost_of_miss": 5, "currency": "SEK", "will_act_if": "x"}}
    done(change(own, data={0: {"channels": channels}}, report={"most_units": 3}, **extra))
    out = own.parent / "out"
    count = len(result(out)["deviations"])
    page = (out / "report.html").read_text(encoding="utf-8")
    names = [item["name"] for item in result(out)["deviations"]]
    assert count > 20
    assert "data.plant.declared.channels.4.sensor" in names
    first, rest = page.split('<section id="deviations">')
    assert [name for name in names if f"<code>{name}</code>" in first] == names[:5]
    assert [name for name in names if f"<code>{name}</code>" in rest] == names
    assert f'<a href="#deviations">and {count - 5} more, listed further on</a>' in first


def test_changed_data_and_code_are_deviations(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, file = own.parent / "out", own.parent / "raw" / "plant.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("0.1", "0.2", 1), encoding="utf-8")
    monkeypatch.setattr("lumipipe.tasks.plan.code_digest", lambda **_: "0" * 64)
    done(own)
    names = [item["name"] for item in result(out)["deviations"]]
    assert names == ["code.digest", "data.plant.files"]


def test_the_first_plan_is_told_of_the_others_once_it_comes_back(own: Path) -> None:
    out, old = own.parent / "out", own.read_text(encoding="utf-8")
    done(change(own, **STRICTER))
    own.write_text(old, encoding="utf-8")
    done(own)
    told = result(out)
    assert told["deviations"] == []
    assert told["plan"]["notes"] == ["The test slice was also scored with 1 further plan."]


def test_a_change_before_the_score_is_a_second_plan_and_no_deviation(tmp_path: Path) -> None:
    request, out = monitoring(tmp_path, evaluation=SIGNED), tmp_path / "out"
    assert call("plan", request, "--register", "--out", out).code == 0
    done(request, "prepare", "train")
    said = call("plan", change(request, **STRICTER), "--register", "--out", out)
    note = f"Plan 2 replaced plan 1 before anything was scored; changed: {METRIC}."
    assert note in said.out
    done(request)
    told = result(out)
    assert (told["plan"]["number"], told["plan"]["notes"]) == (2, [note])
    assert told["deviations"] == []
    assert [line.get("number") for line in log_of(out)] == [1, 2, None]


def test_a_plan_of_what_was_scored_before_says_so(tmp_path: Path) -> None:
    request, out = monitoring(tmp_path), tmp_path / "out"
    done(request)
    done(change(request, evaluation={"plan_signed": True}))
    (found,) = result(out)["deviations"]
    assert found["name"] == "registered"
    assert found["after"] == "after the test slice had been scored without a plan"


def edit_plan(out: Path) -> None:
    path = out / "registered" / "plan-1.json"
    path.write_text(path.read_text(encoding="utf-8").replace("0.5", "0.9"), encoding="utf-8")


def edit_log(out: Path) -> None:
    path = out / "registered" / "log.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace('"number": 1', '"number": 2'))


def cut_log(out: Path) -> None:
    path = out / "registered" / "log.jsonl"
    path.write_text(path.read_text(encoding="utf-8").splitlines(keepends=True)[0])


TAMPERED = {
    "plan": (edit_plan, "plan-1.json: this registered plan was changed"),
    "plan gone": (
        lambda out: (out / "registered" / "plan-1.json").unlink(),
        "plan-1.json: this registered plan is gone",
    ),
    "log": (edit_log, "log.jsonl:1: this line is not as it was written"),
    "log cut": (cut_log, "the log of registered plans is gone or was cut"),
    "log gone": (
        lambda out: (out / "registered" / "log.jsonl").unlink(),
        "log.jsonl: the log of registered plans is gone",
    ),
    "folder gone": (
        lambda out: shutil.rmtree(out / "registered"),
        "the log of registered plans is gone or was cut",
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_tampered_with_is_named(own: Path, name: str) -> None:
    tamper, told = TAMPERED[name]
    tamper(own.parent / "out")
    for verb in ("plan", "score"):
        assert told in one_line(call(verb, own, "--out", own.parent / "out"))


def test_without_plan_signed_nothing_is_registered(tmp_path: Path) -> None:
    request = monitoring(tmp_path)
    line = one_line(call("plan", request, "--register", "--out", tmp_path / "out"))
    assert "plan_signed is not true" in line
    assert not (tmp_path / "out").exists()


def test_data_of_persons_are_registered_as_digests(tmp_path: Path) -> None:
    request = monitoring(tmp_path, evaluation=SIGNED, rights={"personal_data": "pseudonymous"})
    assert call("plan", request, "--register", "--out", tmp_path / "out").code == 0
    text = (tmp_path / "out" / "registered" / "plan-1.json").read_text(encoding="utf-8")
    assert "one hour" not in text
    assert len(json.loads(text)["data"]["plant"]["declared"]) == 64


def test_changes_name_each_place_with_both_values() -> None:
    found = changes({"a": {"b": 1}, "c": [1]}, {"a": {"d": 2}, "c": [1]})
    assert [(d.name, d.before, d.after) for d in found] == [
        ("a.b", "1", "absent"),
        ("a.d", "absent", "2"),
    ]
