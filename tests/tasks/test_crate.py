"""A crate that is made in one folder is checked and re-run in another, or refused by name."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import small_requests
from command import call, launch, one_line
from conftest import ROOT
from lumipipe.families import FAMILIES
from lumipipe.readers.files import find_files
from lumipipe.store.artifact import write_arrays
from lumipipe.tasks.crate import METADATA, SUMS, write_sums
from lumipipe.tasks.crate_inputs import layout_of, package_file, rewritten
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.request import load_request
from lumipipe.yamlfile import read_yaml
from small_requests import change
from tasks.bundles import finished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from command import Said

pytest.importorskip("rocrate", reason="the extra crate is not installed")

OPEN = {"publication": {"data": "open"}, "licence": "CC BY 4.0"}
SIGNED = {"plan_signed": True}
SLOW = {"activity", "bearing", "remaining_life", "session_load", "technique"}
PRIVATE = {"session_load"}


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is made; files and pipes are no matter."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def made(family: str, folder: Path, **changes: Any) -> Path:
    """A finished run of a small request, in a folder; the run's folder."""
    sections = {"evaluation": SIGNED, "rights": OPEN} | changes
    request = getattr(small_requests, family)(folder, **sections)
    finished(request, folder / "out")
    return folder / "out"


def crated(out: Path, to: Path, *options: str) -> Said:
    said = call("crate", out, "--out", to, *options)
    assert (said.code, said.err) == (0, ""), said
    return said


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, which no test may touch."""
    folder = tmp_path_factory.mktemp("made")
    return made("monitoring", folder)


@pytest.fixture(scope="module")
def whole(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its crate with the data, which no test may touch."""
    crate = tmp_path_factory.mktemp("crates") / "crate"
    crated(run, crate, "--with-data")
    return crate


@pytest.fixture
def own(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "own")
    return tmp_path / "own"


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(
    "family", [pytest.param(f, marks=[pytest.mark.slow] if f in SLOW else []) for f in FAMILIES]
)
@pytest.mark.usefixtures("no_network")
def test_a_crate_runs_again_from_its_content_alone_to_equal_digests(
    family: str, tmp_path: Path
) -> None:
    out = made(family, tmp_path / "a")
    named = () if family in PRIVATE else ("--with-data",)
    said = crated(out, tmp_path / "a" / "crate", *named)
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "crate").rename(tmp_path / "b" / "crate")
    data = ()
    if family in PRIVATE:
        shutil.rmtree(out)
        (tmp_path / "a").rename(tmp_path / "inside")
        data = ("--data", tmp_path / "inside")
    else:
        shutil.rmtree(tmp_path / "a")
    again = call("rerun", tmp_path / "b" / "crate", *data, "--out", tmp_path / "b" / "out")
    assert (again.code, again.err) == (0, "")
    content = said.out.partition("as in its report: ")[2].split()[0]
    lines = again.out.splitlines()
    assert [line for line in lines if line.endswith("equal digests")] == [
        f"{verb:8}equal digests" for verb in ("prepare", "train", "score")
    ]
    assert lines[-1] == f"content digest equal: {content}"
    assert not [line for line in lines if line.startswith(("deviation", "result differs"))]
    shown = (tmp_path / "b" / "out" / "report.html").read_text(encoding="utf-8")
    assert content in shown
    assert json.loads((tmp_path / "b" / "out" / "rerun.json").read_text())["equal"] is True


def test_it_runs_again_where_the_system_has_no_network(whole: Path, tmp_path: Path) -> None:
    before = ("unshare", "--net", "--map-root-user")
    if shutil.which("unshare") is None or subprocess.run([*before, "true"], check=False).returncode:
        pytest.skip("this system does not let a process leave the network")
    again = launch("rerun", whole, "--out", tmp_path / "out", before=before)
    assert (again.code, again.err) == (0, "")


def test_two_crates_of_one_run_have_the_same_bytes(run: Path, whole: Path, tmp_path: Path) -> None:
    crated(run, tmp_path / "again", "--with-data")
    assert files(tmp_path / "again") == files(whole)
    for name in ("one.zip", "two.zip"):
        crated(run, tmp_path / name, "--with-data", "--zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    again = call("rerun", tmp_path / "one.zip", "--out", tmp_path / "out")
    assert again.code == 0, again


def test_runs_of_equal_content_differ_in_times_alone(whole: Path, tmp_path: Path) -> None:
    crated(made("monitoring", tmp_path), tmp_path / "crate", "--with-data")
    timed = {SUMS, METADATA, "steps.json", "registered/log.jsonl", "report/report.html"}
    timed |= {"report/result.json", "report/dossier.html", "report/dossier.json"}
    one, two = files(whole), files(tmp_path / "crate")
    unlike = {name for name in one if one[name] != two.get(name)}
    assert {name for name in unlike if not name.startswith("products/")} <= timed
    assert not {name for name in unlike if name.startswith("products/") and name.count("/") > 2}
    assert one["contents.json"] == two["contents.json"]


def test_the_content_digest_is_that_of_a_file_and_of_the_report(whole: Path) -> None:
    digest = hashlib.sha256((whole / "contents.json").read_bytes()).hexdigest()
    result = json.loads((whole / "report" / "result.json").read_text(encoding="utf-8"))
    assert result["run"]["content_digest"] == digest
    assert digest in (whole / "report" / "report.html").read_text(encoding="utf-8")
    root = next(e for e in graph(whole) if e["@id"] == "./")
    assert root["identifier"] == f"urn:sha256:{digest}"


def test_energy_that_nobody_measured_is_not_measured_and_never_zero(whole: Path) -> None:
    told = [e["value"] for e in graph(whole) if e.get("name") == "energy"]
    assert told == ["not measured"] * 3


def graph(crate: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((crate / METADATA).read_text())["@graph"]
    return found


PARTS = {
    "input": ("inputs/raw/plant.csv", "this input was changed"),
    "model": ("products/train/*/model.npz", "this model was changed"),
    "score": ("products/score/*/result.json", "this product was changed"),
    "plan": ("registered/plan-1.json", "this registered plan was changed"),
    "log": ("registered/log.jsonl", "this registered plan was changed"),
    "request": ("request.yaml", "this request was changed"),
    "metadata": (METADATA, "this metadata was changed"),
    "report": ("report/report.html", "this file was changed"),
    "code": ("software/*.zip", "this file was changed"),
}


def spoil(crate: Path, pattern: str) -> str:
    """Change a byte of a part; its path."""
    (path,) = crate.glob(pattern)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    return path.relative_to(crate).as_posix()


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_was_changed_is_named_and_nothing_runs(
    part: str, own: Path, tmp_path: Path
) -> None:
    pattern, told = PARTS[part]
    path = spoil(own, pattern)
    line = one_line(call("rerun", own, "--out", tmp_path / "out"))
    assert line.startswith(f"{own / path}: {told}")
    assert not (tmp_path / "out").exists()


def test_each_part_has_a_line_and_what_is_gone_or_added_too(own: Path, tmp_path: Path) -> None:
    spoil(own, "request.yaml")
    (own / "inputs" / "raw" / "plant.csv").unlink()
    (own / "inputs" / "raw" / "other.csv").write_text("1\n")
    said = call("rerun", own, "--out", tmp_path / "out")
    assert said.code == 2
    lines = said.err.splitlines()
    assert [line.split(": ")[2].split("; ")[0] for line in lines] == [
        "this input is no part of the crate",
        "this input of the crate is gone",
        "this request was changed or damaged",
    ]


FORGED = {
    "input": ("inputs/raw/plant.csv", "says another digest of inputs/raw/plant.csv"),
    "model": ("products/train/*/model.npz", "says another digest of products/train/"),
    "plan": ("registered/plan-1.json", "plan-1.json: this registered plan was changed"),
    "request": ("request.yaml", "is not the request of these contents"),
}


@pytest.mark.parametrize("part", FORGED)
def test_a_list_that_was_made_anew_does_not_hide_a_change(
    part: str, own: Path, tmp_path: Path
) -> None:
    pattern, told = FORGED[part]
    before = hashlib.sha256((own / SUMS).read_bytes()).hexdigest()
    spoil(own, pattern)
    write_sums(own)
    said = call("rerun", own, "--out", tmp_path / "out")
    assert said.code == 2
    assert told in said.err
    line = one_line(call("rerun", own, "--digest", before, "--out", tmp_path / "out"))
    assert "is not the list of the crate whose digest was given" in line


def test_a_forged_answer_is_found_where_it_is_run_again(own: Path, tmp_path: Path) -> None:
    """All digests were made anew, but the steps do not give what the report claims."""
    path = own / "report" / "result.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"inconclusive"', '"supported"'))
    forge_metadata(own, "report/result.json")
    write_sums(own)
    said = call("rerun", own, "--out", tmp_path / "out")
    assert said.code == 1
    assert 'result differs: verdict: "supported" -> "inconclusive"' in said.out


def forge_metadata(crate: Path, place: str) -> None:
    """Have the metadata say the digest that a file has now."""
    content = json.loads((crate / METADATA).read_text(encoding="utf-8"))
    for entity in content["@graph"]:
        if entity["@id"] == place:
            entity["sha256"] = hashlib.sha256((crate / place).read_bytes()).hexdigest()
    (crate / METADATA).write_text(json.dumps(content), encoding="utf-8")


def test_other_bytes_of_a_step_and_other_numbers_are_listed(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def otherwise(path: Path, arrays: dict[str, Any], card: dict[str, Any]) -> None:
        scaled = {n: a * 1.25 if a.dtype.kind == "f" else a for n, a in arrays.items()}
        write_arrays(path, scaled, card)

    monkeypatch.setattr("lumipipe.tasks.train.write_arrays", otherwise)
    said = call("rerun", whole, "--out", tmp_path / "out")
    assert said.code == 1
    assert "prepare equal digests" in said.out
    assert "train   1 file(s) of its product differ" in said.out
    assert "train differs: model.npz: " in said.out
    assert re.search(r"^result differs: \S+: -?\d+\.\d+ -> -?\d+\.\d+$", said.out, re.MULTILINE)
    assert "content digest differs" in said.out


def test_other_versions_and_other_code_are_deviations_not_failures(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lumipipe.tasks.train.versions", lambda: {"python": "2.7", "numpy": "0.1"})
    monkeypatch.setattr("lumipipe.tasks.rerun_compare.code_digest", lambda **_: "0" * 64)
    said = call("rerun", whole, "--out", tmp_path / "out")
    assert said.code == 0
    assert "deviation: version of numpy: " in said.out
    assert " -> 0.1\n" in said.out
    assert "deviation: code digest: " in said.out


def test_without_the_data_they_are_found_by_their_digests(
    run: Path, tmp_path: Path, no_network: None
) -> None:
    crated(run, tmp_path / "crate")
    assert not list((tmp_path / "crate").rglob("plant.csv"))
    line = one_line(call("rerun", tmp_path / "crate", "--out", tmp_path / "out"))
    assert "1 raw file(s) are not found, such as raw/plant.csv" in line
    (tmp_path / "given").mkdir()
    shutil.copyfile(run.parent / "raw" / "plant.csv", tmp_path / "given" / "copy (2).csv")
    said = call(
        "rerun", tmp_path / "crate", "--data", tmp_path / "given", "--out", tmp_path / "out"
    )
    assert said.code == 0, said
    (tmp_path / "given" / "copy (2).csv").write_text("another")
    again = ("--data", tmp_path / "given", "--out", tmp_path / "out2")
    assert "are not found" in one_line(call("rerun", tmp_path / "crate", *again))


CLOSED: dict[str, tuple[dict[str, Any], str]] = {
    "never": ({"publication": {"data": "never"}}, "publication.data is never"),
    "review": ({"publication": {"data": "after_review"}}, "publication.data is after_review"),
    "licence": ({"licence": "ask us"}, "the licence ask us is not known to be open"),
    "persons": ({"personal_data": "pseudonymous"}, "personal_data is pseudonymous"),
}


@pytest.mark.parametrize("name", CLOSED)
def test_data_that_are_not_open_stay_outside(name: str, tmp_path: Path) -> None:
    rights, told = CLOSED[name]
    out = made("monitoring", tmp_path, rights=OPEN | rights)
    line = one_line(call("crate", out, "--out", tmp_path / "crate", "--with-data"))
    assert told in line
    assert line.endswith(("leave out --with-data: the crate then holds their digests", "open them"))
    assert not (tmp_path / "crate").exists()


def test_nothing_of_persons_enters_a_crate(tmp_path: Path) -> None:
    request = small_requests.activity(
        tmp_path,
        evaluation=SIGNED,
        id="aino-at-home",
        title="What does Aino do",
        rights={"personal_data": "pseudonymous", "owner": "Aino Example"},
    )
    finished(request, tmp_path / "out")
    crated(tmp_path / "out", tmp_path / "crate")
    names = [path.name for path in (tmp_path / "raw").iterdir()]
    units = ["p0", "p1", "p2", "p3"]
    for place, content in files(tmp_path / "crate").items():
        assert not place.startswith(("inputs/", "products/", "report/", "registered/"))
        assert place != "request.yaml"
        text = content.decode("utf-8", "replace")
        for word in ("Aino", "aino-at-home", "watch", "swing", *names):
            assert place.endswith(".zip") or word not in text, (place, word)
        for unit in units:
            assert place.endswith(".zip") or not re.search(rf"\b{unit}\b", text), (place, unit)
    said = one_line(call("rerun", tmp_path / "crate", "--out", tmp_path / "b"))
    assert "they come from people" in said
    inside = ("--data", tmp_path, "--out", tmp_path / "c")
    again = call("rerun", tmp_path / "crate", *inside)
    assert again.code == 0, again


@pytest.mark.parametrize("what", ["data", "request", "comment"])
def test_what_changed_since_the_run_is_no_crate(what: str, tmp_path: Path) -> None:
    out = made("monitoring", tmp_path)
    request = tmp_path / "request.yaml"
    if what == "data":
        file = tmp_path / "raw" / "plant.csv"
        file.write_text(file.read_text().replace("0.1", "0.2", 1))
        told = "prepare is not up to date (changed: files of plant)"
    elif what == "request":
        change(request, title="Another")
        told = "report is not up to date (changed: title)"
    else:
        request.write_text(f"# new\n{request.read_text()}")
        told = "its comments changed since the report"
    assert told in one_line(call("crate", out, "--out", tmp_path / "crate"))


def elsewhere(source: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A source whose files are named by absolute paths."""
    return {"source": f"{folder}/{source['source']}"}


@pytest.mark.parametrize("family", ["activity", "emission", "monitoring"])
def test_files_that_lie_elsewhere_are_laid_out_to_the_same_keys(
    family: str, tmp_path: Path
) -> None:
    request = getattr(small_requests, family)(tmp_path / "there")
    content = read_yaml(request).content
    sources = {n: elsewhere(s, request.parent) for n, s in enumerate(content["data"])}
    request = change(request, data=sources)
    loaded = load_request(request)
    layout = layout_of(loaded)
    assert all(file.place.startswith("given/") for file in layout.files)
    copy = tmp_path / "here" / "request.yaml"
    for file in layout.files:
        place = copy.parent / file.place
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.path, place)
    copy.write_text(yaml.safe_dump(rewritten(read_yaml(request).content, layout.rewrites)))
    moved = load_request(copy)
    assert [len(find_files(s, copy.parent)) for s in moved.request.data] == [
        len(find_files(s, request.parent)) for s in loaded.request.data
    ]
    keys = [
        {verb: stage.key for verb, stage in plan_run(one, tmp_path / "o", lambda _: None).items()}
        for one in (loaded, moved)
    ]
    assert keys[0] == keys[1]


def test_labels_limits_and_terms_go_along(tmp_path: Path) -> None:
    told = tmp_path / "elsewhere" / "told.csv"
    asked = {"policy": "terms.jsonld", "actor": "company", "purpose": "ResearchAndDevelopment"}
    request = small_requests.fleet(tmp_path / "here", rights=asked)
    told.parent.mkdir()
    (request.parent / "told.csv").rename(told)
    labels = {"exercise": {"file": str(told)}}
    layout = layout_of(load_request(change(request, data={0: {"labels": labels}})))
    assert {file.place: (file.of, file.is_data) for file in layout.files} == {
        "raw/fleet.csv": ("watch", True),
        "given/watch.labels/exercise/told.csv": ("watch", True),
        "terms.jsonld": ("terms", False),
    }
    key: list[str | int] = ["data", 0, "labels", "exercise", "file"]
    assert layout.rewrites == [(key, "given/watch.labels/exercise/told.csv")]


def test_files_of_packages_are_found_where_the_package_is() -> None:
    pytest.importorskip("seglearn")
    loaded = load_request(ROOT / "config" / "requests" / "demo-watch.yaml")
    files_ = layout_of(loaded).files
    assert files_
    for file in files_:
        assert file.place.startswith("given/")
        assert package_file(file.package) == file.path
    assert package_file("package:no_such_package_at_all/x.csv") is None


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The context of RO-Crate 1.1 without network: rocrate's own, with the terms of 1.1."""
    http = pytest.importorskip("rocrate_validator.utils.http")
    from importlib.resources import files as resources  # noqa: PLC0415 - beside its only use

    text = resources("rocrate").joinpath("data", "ro-crate.jsonld").read_text(encoding="utf-8")
    content = json.loads(text)
    bioschemas = "https://bioschemas.org/"
    for name in ("ComputationalWorkflow", "FormalParameter"):
        content["@context"][name] = bioschemas + name
    for name in ("input", "output"):
        content["@context"][name] = f"{bioschemas}ComputationalWorkflow#{name}"

    class Answer:
        status_code = 200
        headers = {"Content-Type": "application/ld+json"}
        text = json.dumps(content)

        def json(self) -> dict[str, Any]:
            return json.loads(self.text)

    def answer(_self: object, url: str, **_: object) -> Answer:
        assert url == "https://w3id.org/ro/crate/1.1/context"
        return Answer()

    monkeypatch.setattr(http.HttpRequester, "get", answer, raising=False)
    return


@pytest.mark.slow
@pytest.mark.usefixtures("context", "no_network")
@pytest.mark.filterwarnings("ignore")  # the validator's and its libraries'
@pytest.mark.parametrize("kind", ["open", "private"])
def test_the_validator_finds_nothing_that_the_profile_requires(
    kind: str, whole: Path, tmp_path: Path
) -> None:
    services = pytest.importorskip("rocrate_validator.services")
    models = pytest.importorskip("rocrate_validator.models")
    crate: Path = whole
    if kind == "private":
        crate = tmp_path / "crate"
        crated(made("monitoring", tmp_path, rights={"personal_data": "pseudonymous"}), crate)
    found = services.validate(
        services.ValidationSettings(
            rocrate_uri=str(crate),
            profile_identifier="provenance-run-crate",
            requirement_severity=models.Severity.REQUIRED,
            offline=True,
            cache_path=tmp_path / "cache",
        )
    )
    assert [issue.message for issue in found.get_issues()] == []
    assert found.passed()


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    line = one_line(call("crate", tmp_path, "--out", tmp_path / "crate"))
    assert "is not the folder of a run" in line
    line = one_line(call("rerun", tmp_path / "nothing", "--out", tmp_path / "out"))
    assert "is neither the folder of a crate nor a ZIP file" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_request_may_ask_for_its_crate(tmp_path: Path) -> None:
    request = small_requests.monitoring(tmp_path, outputs=["report_html", "run_crate"])
    said = call("run", request, "--out", tmp_path / "out")
    assert said.code == 0, said
    data = ("--data", tmp_path / "raw")
    again = call("rerun", tmp_path / "out" / "crate", *data, "--out", tmp_path / "again")
    assert again.code == 0, again
    assert again.out.splitlines()[-1].startswith("content digest equal: ")


POOLED = {
    "policy": "club",
    "actor": "club",
    "purpose": "ServiceProvision",
    "pool": "../pool",
    "publication": {"data": "company_only"},
}


@pytest.mark.usefixtures("no_network")
def test_a_request_with_a_pool_runs_again_without_the_pool(tmp_path: Path) -> None:
    """Key and log of the pool stay in A; steps and answer are equal, digests of units are not."""
    assert call("pool", "init", tmp_path / "pool").code == 0
    out = made("monitoring", tmp_path / "a", rights=POOLED)
    crated(out, tmp_path / "b" / "crate")
    secret = json.loads((tmp_path / "pool" / "pool.json").read_text(encoding="utf-8"))
    content = b"".join(files(tmp_path / "b" / "crate").values())
    assert not [word for word in secret.values() if _is_key(word) and word.encode() in content]
    (tmp_path / "a" / "raw").rename(tmp_path / "data")
    shutil.rmtree(tmp_path / "a")
    shutil.rmtree(tmp_path / "pool")
    data = ("--data", tmp_path / "data")
    said = call("rerun", tmp_path / "b" / "crate", *data, "--out", tmp_path / "b" / "out")
    assert (said.code, said.err) == (0, "")
    found = json.loads((tmp_path / "b" / "out" / "rerun.json").read_text(encoding="utf-8"))
    assert (found["equal"], found["result"]) == (True, [])
    assert said.out.splitlines()[-2:] == [
        "its request names a pool, whose key stays with its owner: digests of units are others",
        "and so is the content digest, which covers them",
    ]
    own = tmp_path / "b" / "out" / "site" / "pool" / "pool.json"
    assert json.loads(own.read_text(encoding="utf-8")) != secret


def _is_key(word: object) -> bool:
    return isinstance(word, str) and len(word) > 20


@pytest.mark.slow
def test_no_crate_is_made_once_somebody_withdrew(tmp_path: Path) -> None:
    """A repetition without the pool would read the files of who withdrew."""
    assert call("pool", "init", tmp_path / "pool").code == 0
    out = made("activity", tmp_path / "a", rights=POOLED)
    assert call("pool", "add", tmp_path / "pool", out, "--id", "watch").code == 0
    crated(out, tmp_path / "before")
    assert call("pool", "withdraw", tmp_path / "pool", "watch", "p3").code == 0
    request = tmp_path / "a" / "request.yaml"
    finished(request, out)
    line = one_line(call("crate", out, "--out", tmp_path / "crate"))
    where = small_requests.line_of(request, "pool:")
    assert line == (
        f"{request}:{where}: rights.pool: 1 withdrew from it, and who runs the crate again would "
        "read their files; remove their raw files and rights.pool, and run it again"
    )
    assert not (tmp_path / "crate").exists()


def test_no_crate_is_made_of_a_published_data_set(tmp_path: Path) -> None:
    assert call("pool", "init", tmp_path / "pool").code == 0
    out = made("monitoring", tmp_path / "a", rights=POOLED)
    assert call("pool", "add", tmp_path / "pool", out, "--id", "plant").code == 0
    card = str(next((tmp_path / "pool" / "datasets").rglob("card.json")))
    published = {"source": card, "format": "lumipipe", "read": small_requests.DROP}
    request = change(tmp_path / "a" / "request.yaml", data={0: published})
    finished(request, tmp_path / "a" / "adopted")
    line = one_line(call("crate", tmp_path / "a" / "adopted", "--out", tmp_path / "crate"))
    told = "source plant: is a published data set, and a crate lists raw files; make the crate of a"
    assert told in line
    assert line.startswith(f"{request}:")


@pytest.mark.parametrize("rights", ["none", "pseudonymous"])
def test_a_report_names_the_command_that_repeats_its_crate(tmp_path: Path, rights: str) -> None:
    """Another output scores nothing again; without a crate the plain commands stand alone."""
    request = small_requests.monitoring(tmp_path, rights={"personal_data": rights})
    told, scored = [], []
    for outputs in (["report_html"], ["report_html", "run_crate"]):
        change(request, outputs=outputs)
        run = finished(request, tmp_path / "out")
        result = json.loads((run.out / "result.json").read_text(encoding="utf-8"))
        items = [item for page in result["pages"] for item in page["items"]]
        told += [item["sentence"] for item in items if item["name"] == "rerun"]
        scored.append({path.name for path in (run.out / "score").iterdir()})
    plain, of_crate = told
    assert plain.startswith("With the data where the request names them: lumipipe run request.yaml")
    assert "rerun" not in plain
    assert of_crate.endswith(plain)
    whom = "anybody who has the data" if rights == "none" else "who has data and request"
    command = "lumipipe rerun crate --data DATA --out FOLDER."
    assert of_crate.startswith(f"By {whom}, from the crate beside this report")
    assert command in of_crate
    assert command in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert scored[0] == scored[1]
