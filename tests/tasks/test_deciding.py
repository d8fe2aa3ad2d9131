"""Terms of use meet a request: decided before anything is written, and recorded (C70, C71)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from command import call, one_line
from lumipipe.pool.log import entries
from pooled import RIGHTS, run
from small_requests import DROP, activity, line_of

if TYPE_CHECKING:
    from pathlib import Path

OWN = {"policy": "company", "actor": "company", "purpose": "ServiceProvision"}


def below(folder: Path) -> set[str]:
    """All files and folders below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def refused(request: Path) -> str:
    """The one line of a request that check, quote, run and each verb refuse, writing nothing."""
    before = below(request.parent)
    out = request.parent / "out"
    lines = {
        one_line(call(*words))
        for words in (
            ("request", "check", request),
            ("request", "quote", request),
            ("plan", request, "--out", out),
            ("prepare", request, "--out", out),
            ("run", request, "--out", out),
        )
    }
    assert len(lines) == 1
    assert below(request.parent) == before
    return lines.pop().removeprefix(f"{request}:")


def test_a_purpose_that_the_terms_deny_is_refused_before_a_byte_is_written(tmp_path: Path) -> None:
    request = activity(tmp_path, rights=OWN | {"purpose": "PersonnelManagement"})
    assert refused(request) == (
        f"{line_of(request, 'policy: company')}: rights.policy: denied by the terms of the request "
        "(rule urn:lumipipe:policy:company:never); ask for what they permit, or ask the owner for "
        "other terms"
    )


def test_data_that_had_to_be_deleted_are_refused(tmp_path: Path) -> None:
    request = activity(tmp_path, rights=OWN | {"delete_after": "2020-01-01"})
    assert "(rule urn:lumipipe:rule:expired)" in refused(request)


@pytest.mark.parametrize("missing", ["actor", "purpose"])
def test_what_cannot_be_decided_is_refused(tmp_path: Path, missing: str) -> None:
    request = activity(tmp_path, rights=OWN | {missing: DROP})
    line = one_line(call("request", "check", request))
    assert f"terms of use cannot be decided without {missing}; add {missing}" in line


def test_a_pool_needs_terms(tmp_path: Path) -> None:
    request = activity(tmp_path, rights=RIGHTS | {"policy": DROP})
    assert "cannot be decided without policy" in one_line(call("request", "check", request))


def test_an_unknown_policy_and_an_unknown_pool_are_named(tmp_path: Path) -> None:
    request = activity(tmp_path, rights=OWN | {"policy": "clubb"})
    assert "rights.policy: no policy clubb" in one_line(call("request", "check", request))
    request = activity(tmp_path, rights=RIGHTS)
    said = one_line(call("run", request, "--out", tmp_path / "out"))
    assert said.startswith(f"{tmp_path / 'pool'}: is no pool; make one: lumipipe pool init")


def test_a_permission_is_told_with_its_duties(tmp_path: Path) -> None:
    asked = {"policy": "research", "actor": "research", "purpose": "AcademicResearch"}
    request = activity(tmp_path, rights=asked | {"publication": {"model": "after_review"}})
    said = call("request", "check", request)
    assert said.code == 0
    assert (
        "terms of use: permit with duties (urn:lumipipe:policy:research:research-for-all"
        in said.out
    )
    assert "to do: attribute (data); obtainConsent (model)" in said.out


def card(folder: Path, name: str, **changes) -> str:
    """The name of a card's file that was written."""
    content = {
        "id": "watch",
        "version": 1,
        "title": "t",
        "description": "d",
        "owner": "o",
        "personal_data": "none",
        "policy": "public-body",
        "attribution": "a",
        "published": "2026-01-01",
        "recordings": 1,
        "streams": {},
        "files": 1,
        "size": 1,
        "manifest": "m.json",
        "digest": "0" * 64,
    } | changes
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return name


def test_terms_of_a_card_hold_beside_those_of_the_request(tmp_path: Path) -> None:
    request = activity(tmp_path, rights=OWN, data={0: {"card": "watch.json"}})
    card(tmp_path, "watch.json", policy="club")
    line = one_line(call("request", "check", request))
    assert "the terms of the data set watch (rule urn:lumipipe:policy:club:no-companies)" in line


def test_a_card_without_terms_is_not_usable(tmp_path: Path) -> None:
    request = activity(tmp_path, rights=OWN, data={0: {"card": "watch.json"}})
    card(tmp_path, "watch.json", policy=None)
    line = one_line(call("request", "check", request))
    assert "nobody has stated terms of use for the data set watch" in line
    (tmp_path / "watch.json").unlink()
    assert "watch.json: there is no card; publish" in one_line(call("request", "check", request))


@pytest.mark.parametrize("stricter", ["beside the data", "in the catalogue"])
def test_of_unlike_terms_the_stricter_hold_with_a_warning(tmp_path: Path, stricter: str) -> None:
    rights = OWN | {"pool": "pool", "commercial": True}
    request = activity(tmp_path, rights=rights, data={0: {"card": "watch.json"}})
    assert call("pool", "init", tmp_path / "pool").code == 0
    places = {
        "beside the data": "watch.json",
        "in the catalogue": "pool/datasets/watch/1/card.json",
    }
    for name in places.values():
        card(tmp_path, name)
    assert "unlike terms" not in call("request", "check", request).out
    card(tmp_path, places[stricter], valid_until="2099-12-31")
    said = call("request", "check", request)
    assert said.code == 0
    assert (
        "watch: the card beside the data and the catalogue state unlike terms; the stricter hold"
        in said.out
    )
    card(tmp_path, places[stricter], policy="research")
    line = one_line(call("request", "check", request))
    assert "(rule urn:lumipipe:policy:research:not-commercial)" in line


def test_a_denial_is_recorded_in_the_pool_alone(tmp_path: Path) -> None:
    request = activity(tmp_path, rights=RIGHTS | {"purpose": "Marketing"})
    assert call("pool", "init", tmp_path / "pool").code == 0
    before = below(tmp_path)
    one_line(call("request", "check", request))
    assert below(tmp_path) == before
    one_line(call("run", request, "--out", tmp_path / "out"))
    assert below(tmp_path) - before == {"pool/log.jsonl"}
    (line,) = entries(tmp_path / "pool" / "log.jsonl")
    assert (line["verdict"], line["rules"]) == ("deny", ["urn:lumipipe:policy:club:never"])


def test_a_run_is_recorded_and_an_unwritable_record_stops_it(tmp_path: Path) -> None:
    request = activity(tmp_path, rights=OWN)
    out = tmp_path / "out"
    assert call("plan", request, "--out", out, "--record").code == 0
    (line,) = entries(out / "decisions.jsonl")
    assert (line["verdict"], line["actor"], line["duties"]) == ("permit", "company", [])
    assert "p0" not in (out / "decisions.jsonl").read_text(encoding="utf-8")
    (out / "decisions.jsonl").unlink()
    (out / "decisions.jsonl").mkdir()  # root may write to what is read-only
    assert "nothing runs unrecorded" in one_line(call("run", request, "--out", out))
    assert below(out) == {"decisions.jsonl"}


def test_a_request_without_terms_is_as_before(tmp_path: Path) -> None:
    request = activity(tmp_path)
    assert "terms of use" not in call("request", "check", request).out
    assert call("plan", request, "--out", tmp_path / "out", "--record").code == 0
    assert not (tmp_path / "out").exists()


def test_the_report_tells_decision_duties_and_sources(tmp_path: Path) -> None:
    request = activity(tmp_path, rights={**OWN, "policy": "public-body", "owner": "The <town>"})
    out = run(request)
    told = json.loads((out / "result.json").read_text(encoding="utf-8"))["terms"]
    assert told["verdict"] == "permit with duties"
    assert told["duties"] == ["attribute (data)"]
    assert told["rules"] == ["urn:lumipipe:policy:public-body:open-use"]
    assert told["policies"] == ["urn:lumipipe:policy:public-body"]
    assert told["attributions"] == ["The <town>"]
    page = (out / "report.html").read_text(encoding="utf-8")
    section = page.split('<section class="terms">')[1].split("</section>")[0]
    for words in (
        "Permitted, with what has to be done",
        "Name the source of the data.",
        "open-use",
    ):
        assert words in section
    assert "The &lt;town&gt;" in section


def test_a_report_without_terms_says_nothing_of_them(tmp_path: Path) -> None:
    page = (run(activity(tmp_path)) / "report.html").read_text(encoding="utf-8")
    assert 'class="terms"' not in page
