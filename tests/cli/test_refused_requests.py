"""What is refused before anything is queued or written: one line with its place, exit code 2.

Each wrong request goes through ``request check``, ``request quote`` and ``run``; all three must say
the same, and leave the folder as it was. Wrong forms in general are in `test_wrong_request`.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from command import Said, call, one_line
from small_requests import DROP, activity, carbon, line_of, monitoring

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TERMS = {"policy": "research", "actor": "research", "purpose": "AcademicResearch"}


def everything(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def refused(request: Path, *more: object) -> str:
    """What all verbs say of a request, after its path; nothing is written by any of them."""
    out, before = request.parent / "out", everything(request.parent)
    where = ("--out", out, *more)
    found = set()
    for words in (("request", "check"), ("request", "quote"), ("run",)):
        options = () if words[-1] == "check" else where
        found.add(one_line(call(*words, request, *options)))
        assert everything(request.parent) == before
        assert not out.exists()
    (line,) = found
    assert line.startswith(f"{request}:"), line
    return line.removeprefix(f"{request}:")


def _channel(**changes: Any) -> dict[int, Any]:
    return {0: {"channels": {0: changes}}}


def _source(**changes: Any) -> dict[int, Any]:
    return {0: changes}


def _copied(folder: Path) -> Path:
    """Two files with the same bytes in one source."""
    request = activity(folder)
    shutil.copyfile(folder / "raw" / "p0_swing_0.csv", folder / "raw" / "p0_swing_9.csv")
    return request


def _named_twice(folder: Path) -> Path:
    """One file in two sources."""
    request = carbon(folder)
    text = request.read_text(encoding="utf-8")
    begin, end = text.index("- id: meters"), text.index("rights:")
    twice = text[begin:end].replace("meters", "again").replace("raw/*", "raw/north")
    request.write_text(text[:end] + twice + text[end:], encoding="utf-8")
    return request


def _denying(folder: Path, **terms: Any) -> Path:
    return monitoring(folder, rights={**TERMS, **terms})


# Name: the request, the text that begins the line in question, the message.
CASES: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "channel without unit": (
        lambda folder: activity(folder, data=_channel(unit=DROP)),
        "name: acc_x",
        "data.0.channels.0.unit is missing; add unit: ... (Unit of the numbers in the file,",
    ),
    "channel whose unit is still open": (
        lambda folder: activity(folder, data=_channel(unit="?")),
        "unit: '?'",
        "data.0.channels.0.unit is still ?; write what is true of your data",
    ),
    "personal data for a target that may not have any": (
        lambda folder: activity(
            folder, rights={"personal_data": "personal"}, compute={"target": "lumi-small-g"}
        ),
        "target:",
        "compute.target lumi-small-g with personal_data personal: LUMI may not ",
    ),
    "pseudonymous data for such a target": (
        lambda folder: activity(
            folder, rights={"personal_data": "pseudonymous"}, compute={"target": "lumi-small"}
        ),
        "target:",
        "compute.target lumi-small with personal_data pseudonymous: LUMI may not ",
    ),
    "no split": (
        lambda folder: activity(folder, evaluation={"split": DROP}),
        "evaluation:",
        "evaluation.split is missing; add split: ...",
    ),
    "no evaluation at all": (
        lambda folder: activity(folder, evaluation=DROP),
        "lumipipe_request:",
        "evaluation is missing; add evaluation: ...",
    ),
    "random split without because": (
        lambda folder: activity(folder, evaluation={"split": {"kind": "random", "by": DROP}}),
        "split:",
        "evaluation.split.because is missing; add because: ... (Why a split that flatters",
    ),
    "random split because of nothing": (
        lambda folder: activity(
            folder, evaluation={"split": {"kind": "random", "by": DROP, "because": ""}}
        ),
        "because:",
        "evaluation.split.because: is empty; write a text",
    ),
    "label with no stated meaning": (
        lambda folder: activity(folder, data=_source(labels={"exercise": {"meaning": DROP}})),
        "exercise:",
        "data.0.labels.exercise.meaning is missing; add meaning: ... (What the label says",
    ),
    "label that means nothing": (
        lambda folder: carbon(folder, data=_source(labels={"shift": {"meaning": ""}})),
        "meaning:",
        "data.0.labels.shift.meaning: is empty; write a text",
    ),
    "certificate that expired within the period": (
        lambda folder: monitoring(
            folder,
            data=_source(
                period=["2026-01-01", "2026-06-30"],
                channels={0: {"certificate": {"id": "dcc-1", "valid_until": "2026-03-31"}}},
            ),
        ),
        "certificate:",
        (
            "data.0.channels.0.certificate: certificate dcc-1 holds until 2026-03-31, the data go "
            "on until 2026-06-30; give the certificate of that time, or"
        ),
    ),
    "certificate that began within the period": (
        lambda folder: carbon(
            folder,
            data=_source(
                period=["2025-12-31T12:00:00Z", "2026-06-30T00:00:00Z"],
                channels={1: {"certificate": {"id": "dcc-2", "valid_from": "2026-01-01"}}},
            ),
        ),
        "certificate:",
        (
            "data.0.channels.1.certificate: certificate dcc-2 holds from 2026-01-01 on, the data "
            "begin on 2025-12-31; give"
        ),
    ),
    "certificate that nothing can be compared with": (
        lambda folder: monitoring(
            folder, data=_channel(certificate={"id": "dcc-3", "valid_until": "2026-01-01"})
        ),
        "certificate:",
        (
            "data.0.channels.0.certificate: nothing says when the data are of, so its validity "
            "cannot be compared; give the period"
        ),
    ),
    "no certificate, and nobody accepts that": (
        lambda folder: monitoring(folder, data=_channel(certificate="none")),
        "certificate:",
        (
            "data.0.channels.0.certificate: is none, and nobody accepts that; name the "
            "certificate, or add accept: not characterised"
        ),
    ),
    "certificate and accepted without": (
        lambda folder: monitoring(
            folder, data=_channel(certificate="dcc-4", accept="not characterised")
        ),
        "certificate:",
        "data.0.channels.0.certificate: is there, and accept is for a channel without; take",
    ),
    "terms that do not permit the purpose": (
        lambda folder: _denying(folder, purpose="Marketing"),
        "policy:",
        "rights.policy: denied by the terms of the request (rule ",
    ),
    "terms of another actor": (
        lambda folder: _denying(folder, policy="club", commercial=True, purpose="Marketing"),
        "policy:",
        "rights.policy: denied by the terms of the request (rule ",
    ),
    "terms without the purpose": (
        lambda folder: _denying(folder, purpose=DROP),
        "rights:",
        "rights: terms of use cannot be decided without purpose; add purpose",
    ),
    "nothing that it must not be used for": (
        lambda folder: activity(folder, question={"not_to_be_used_for": []}),
        "not_to_be_used_for:",
        "question.not_to_be_used_for: is empty; give it an entry",
    ),
    "a use that is no text": (
        lambda folder: monitoring(folder, question={"not_to_be_used_for": [""]}),
        "- ''",
        "question.not_to_be_used_for.0: is empty; write a text",
    ),
    "two files of one session": (
        _copied,
        "source: raw/*.csv",
        "source watch: raw/p0_swing_0.csv and raw/p0_swing_9.csv hold the same bytes; name one",
    ),
    "two sources of one session": (
        _named_twice,
        "source: raw/north.csv",
        "sources meters and again are of one session: raw/north.csv is in both; name one of",
    ),
    "target of no machine": (
        lambda folder: monitoring(folder, compute={"target": "lapdog"}),
        "target:",
        "compute.target: no machine has a target lapdog; did you mean laptop?",
    ),
    "e-mail address of who asks": (
        lambda folder: monitoring(
            folder, requester={"organisation": "Acme", "contact_ref": "jo@acme.example"}
        ),
        "contact_ref:",
        "requester.contact_ref: holds an e-mail address; write the role, and",
    ),
    "ORCID with a wrong last digit": (
        lambda folder: monitoring(
            folder, approver={"role": "researcher", "orcid": "0000-0002-1825-0098"}
        ),
        "orcid:",
        "approver.orcid: 0000-0002-1825-0098 is no ORCID: its last character would be 7; mend it",
    ),
    "period that does not rise": (
        lambda folder: carbon(folder, data=_source(period=["2026-02-01", "2026-01-01"])),
        "period:",
        "data.0.period: does not rise; write [first, last]",
    ),
    "clock without stamps": (
        lambda folder: monitoring(folder, data=_source(clock={"reference": "ntp"})),
        "clock:",
        "data.0.clock is about stamps, and rows of source plant have none; name the column",
    ),
    "gaps without stamps": (
        lambda folder: activity(folder, data=_source(gaps={"largest_accepted_s": 10})),
        "largest_accepted_s:",
        "data.0.gaps.largest_accepted_s is about stamps, and rows of source watch have none; name",
    ),
    "event outside the period": (
        lambda folder: carbon(
            folder,
            data=_source(
                period=["2026-01-01", "2026-01-31"],
                known_events=[{"at": "2026-02-01", "what": "impeller replaced"}],
            ),
        ),
        "- at:",
        "data.0.known_events.0: 2026-02-01 lies outside the period; correct the day, or the period",
    ),
    "intervals by regimes that are not there": (
        lambda folder: monitoring(folder, evaluation={"interval": {"by": "regime"}}),
        "by: regime",
        "evaluation.interval.by is regime, and there are no regimes in monitoring; take it out",
    ),
    "output that nobody makes": (
        lambda folder: monitoring(folder, outputs=["report_html", "report_docx"]),
        "- report_docx",
        "outputs: no output report_docx; did you mean report_pdf?",
    ),
    "bundle without a last day": (
        lambda folder: activity(folder, outputs=["model_bundle"]),
        "- model_bundle",
        "outputs: model_bundle has no last day, and a model does not hold for ever; add report",
    ),
    "bundle of a family without a model": (
        lambda folder: carbon(folder, outputs=["model_bundle"]),
        "- model_bundle",
        "outputs: the family carbon has no model with a guard for new rows; take model_bundle out",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_by_every_verb_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    make, begin, message = CASES[name]
    request = make(tmp_path)
    number, line = refused(request).split(": ", 1)
    assert line.startswith(message), line
    shown = request.read_text(encoding="utf-8").splitlines()[int(number) - 1]
    assert shown.lstrip(" ").removeprefix("" if begin.startswith("-") else "- ").startswith(begin)


MACHINE = ("--account", "project_465000000")


@pytest.mark.parametrize("ceiling", [{"core_h": 1e-6}, {"tb_h": 0.0, "core_h": 100.0}])
def test_a_quote_above_the_ceiling_is_refused(tmp_path: Path, ceiling: dict[str, float]) -> None:
    compute = {"target": "lumi-small", "ceiling": ceiling}
    request = activity(tmp_path, compute=compute)
    before = everything(tmp_path)
    out = tmp_path / "out"
    for words in (("request", "quote", request, "--machine"), ("plan", request, "--machine")):
        said = call(*words, "lumi", *MACHINE, "--out", out)
        assert said.code == 2, said
        key = next(iter(ceiling))
        (line,) = [line for line in said.err.splitlines() if line.startswith("lumipipe: ")]
        place = f"{request}:{line_of(request, f'{key}:')}"
        assert line.startswith(f"lumipipe: {place}: compute.ceiling.{key} is "), line
        assert not list(out.rglob("*.sh"))
    assert {name: before[name] for name in before} == before


def test_a_deadline_that_has_passed_is_refused(tmp_path: Path) -> None:
    request = monitoring(tmp_path, compute={"deadline": "2020-01-31"})
    before = everything(tmp_path)
    place = f"{request}:{line_of(request, 'deadline:')}"
    for words in (("request", "check", request), ("request", "quote", request)):
        line = one_line(call(*words))
        assert line == f"{place}: compute.deadline 2020-01-31 has passed; set a later day"
    assert everything(tmp_path) == before


@pytest.mark.parametrize("verb", [("request", "quote"), ("plan",)])
@pytest.mark.parametrize(
    ("options", "place"),
    [
        (
            ("--target", "nowhere"),
            "--target nowhere: compute.target: no machine has a target nowhere",
        ),
        (("--ranks", "99999999", *MACHINE), "--ranks 99999999: "),
    ],
)
def test_an_option_that_is_wrong_is_named(
    tmp_path: Path, verb: tuple[str, ...], options: tuple[str, ...], place: str
) -> None:
    request = activity(tmp_path, compute={"target": "lumi-small"})
    said = call(*verb, request, "--machine", "lumi", "--out", tmp_path / "out", *options)
    assert said.code == 2
    assert said.err.splitlines()[-1].startswith(f"lumipipe: {place}"), said.err


def test_people_s_data_are_refused_by_the_machine_of_a_check(tmp_path: Path) -> None:
    request = activity(tmp_path, rights={"personal_data": "personal"})
    place = f"{request}:{line_of(request, 'personal_data:')}"
    said = one_line(call("request", "check", request, "--machine", "lumi"))
    assert said.startswith(f"{place}: personal_data: personal on ")


def test_a_copy_is_left_out_where_that_is_allowed(tmp_path: Path) -> None:
    request = _copied(tmp_path)
    text = request.read_text(encoding="utf-8")
    request.write_text(
        text.replace("workers: 1", "workers: 1\n  bad_recordings: leave_out"), "utf-8"
    )
    assert call("request", "check", request).code == 0
    out = tmp_path / "out"
    assert call("prepare", request, "--out", out).code == 3
    (manifest,) = (out / "prepare").glob("*.json")
    record = json.loads(manifest.read_text(encoding="utf-8"))["content"]["record"]
    (item,) = record["left_out"]
    assert item["reason"] == "hold the same bytes"
    assert item["file"] == "p0_swing_9.csv"


def _is_fine(said: Said) -> bool:
    return (said.code, said.err) == (0, "")


def test_one_file_may_be_named_for_other_rows(tmp_path: Path) -> None:
    request = _named_twice(tmp_path)
    text = request.read_text(encoding="utf-8")
    begin = text.index("- id: again")
    spans = zip((text[:begin], text[begin:]), ("[0, 10]", "[10, 20]"), strict=True)
    parts = [part.replace("format: csv", f"format: csv\n  rows: {span}", 1) for part, span in spans]
    request.write_text("".join(parts), encoding="utf-8")
    assert _is_fine(call("request", "check", request))
