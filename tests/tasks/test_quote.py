"""The price of a tiny request, here and on LUMI: sampled once, refused above its ceiling."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from command import call, one_line
from lumipipe.tasks import quote as quoting
from lumipipe.tasks.quoted import duration, size
from machines import SLURM
from small_requests import change, line_of, monitoring
from tasks.quoting.made import sample

if TYPE_CHECKING:
    from pathlib import Path

LUMI = ("--machine", SLURM / "lumi", "--target", "lumi-small")


@pytest.fixture
def samples(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked to be sampled; the answer is made up: 64 MB in 640 files, all sampled."""
    asked: list[Any] = []

    def take(*words: Any) -> Any:
        asked.append(words)
        return sample(64_000_000)

    monkeypatch.setattr(quoting, "take_sample", take)
    return asked


def kept(out: Path) -> dict[str, Any]:
    content = json.loads((out / "quote.json").read_text(encoding="utf-8"))
    return dict(content["quote"])


def test_the_price_on_this_machine_has_seconds_and_no_units(
    tmp_path: Path, samples: list[Any]
) -> None:
    said = call("request", "quote", monitoring(tmp_path), "--out", tmp_path / "out")
    assert said.code == 0, said.err
    assert len(samples) == 1
    assert "core-h" not in said.out
    assert "GPU-h" not in said.out
    rows = {line.split()[0]: line for line in said.out.splitlines() if line}
    # prepare: 4 s to start and 64.5 s of work; all at once: 3 starts, 3 passes, a fit, the rest.
    assert "here   1 x 1          68 s (58 s to 79 s)" in rows["prepare"]
    assert "3 min expected" in rows["time"] or "4 min expected" in rows["time"]
    assert "all data were run once" in rows["sample"]


def test_the_price_on_a_machine(tmp_path: Path, samples: list[Any]) -> None:
    request = monitoring(tmp_path, compute={"kept_days": 10})
    said = call("request", "quote", request, "--out", tmp_path / "out", *LUMI, "--ranks", 2)
    assert said.code == 0, said.err
    content = kept(tmp_path / "out")
    stages = {stage["verb"]: stage for stage in content["stages"]}
    train = stages["train"]
    # Two cores of the partition small, by its formula.
    assert train["where"] == "small"
    assert train["core_h"] == pytest.approx(2 * train["seconds"] / 3600)
    assert train["most_core_h"] == pytest.approx(2 * train["minutes"] / 60)
    assert train["minutes"] == 10  # three times what is expected would be less
    assert train["seconds"] == pytest.approx(sum(train["parts"].values()))
    assert train["low_s"] < train["seconds"] < train["high_s"]
    storage = content["storage"]
    assert storage["tb_h"] == pytest.approx(storage["bytes"] / 1e12 * 24 * 10)
    assert "nothing was measured on LUMI" in said.out
    assert "assumed  not measured there: job_s 4" in said.out
    assert "at most; no ceiling" in said.out
    assert not any(item["is_measured"] for item in content["constants"])


def test_a_second_call_samples_nothing_until_what_it_depends_on_changes(
    tmp_path: Path, samples: list[Any]
) -> None:
    request = monitoring(tmp_path)
    words = ("request", "quote", request, "--out", tmp_path / "out")
    first = call(*words)
    assert call(*words) == first
    assert call(*words, *LUMI).code == 0  # the price is another, the sample is not
    assert len(samples) == 1
    change(request, train={"alpha": 0.01})
    assert call(*words).code == 0
    assert len(samples) == 2
    (tmp_path / "out" / "quote.json").write_text("{")
    assert call(*words).code == 0
    assert len(samples) == 3


def test_measured_constants_are_taken(tmp_path: Path, samples: list[Any]) -> None:
    machine = tmp_path / "lumi"
    machine.mkdir()
    (machine / "machine.yaml").write_text((SLURM / "lumi" / "machine.yaml").read_text())
    entries = "".join(
        f"- {{constant: {name}, value: {value}, date: '2026-11-25', how: made up}}\n"
        for name, value in (("job_s", 100.0), ("latency_s", 1e-6))
    )
    (machine / "measured.yaml").write_text(f"machine: lumi\nmeasured:\n{entries}")
    request = monitoring(tmp_path / "request")
    place = ("--machine", machine, "--target", "lumi-small")
    said = call("request", "quote", request, "--out", tmp_path / "out", *place)
    assert said.code == 0, said.err
    content = kept(tmp_path / "out")
    assert all(stage["parts"]["job"] == 100.0 for stage in content["stages"])
    assert "nothing was measured" not in said.out
    assumed = next(line for line in said.out.splitlines() if line.startswith("assumed"))
    assert "speed 1" in assumed
    assert "job_s" not in assumed


@pytest.mark.parametrize(
    ("ceiling", "compute", "message"),
    [
        ({"core_h": 0.02}, {}, "use fewer data, fewer ranks or another target, or raise"),
        ({"core_h": 0.08}, {}, "raise the ceiling to"),
        ({"core_h": 0.5}, {"minutes": 60}, "lower compute.minutes, or raise the ceiling to 3"),
        ({"tb_h": 0.01}, {}, "lower compute.kept_days, or raise the ceiling to"),
    ],
)
def test_above_the_ceiling_nothing_is_submitted(
    tmp_path: Path,
    samples: list[Any],
    ceiling: dict[str, float],
    compute: dict[str, int],
    message: str,
) -> None:
    request = monitoring(tmp_path, compute={"ceiling": ceiling, **compute})
    said = call("request", "quote", request, "--out", tmp_path / "out", *LUMI)
    line = one_line_after_progress(said.err)
    (unit,) = ceiling
    assert line.startswith(f"lumipipe: {request}:{line_of(request, f'{unit}:')}: compute.ceiling.")
    assert "at most and" in line
    assert "as expected" in line
    assert message in line
    assert said.code == 2
    assert said.out == ""
    assert "quote" not in json.loads((tmp_path / "out" / "quote.json").read_text())
    assert len(samples) == 1


def one_line_after_progress(err: str) -> str:
    lines = [line for line in err.splitlines() if line.startswith("lumipipe: ")]
    assert len(lines) == 1, err
    return lines[0]


def test_limits_are_shortened_before_a_ceiling_refuses(tmp_path: Path, samples: list[Any]) -> None:
    request = monitoring(tmp_path)
    words = ("request", "quote", request, "--out", tmp_path / "out", *LUMI)
    assert call(*words).code == 0
    generous = {stage["verb"]: stage for stage in kept(tmp_path / "out")["stages"]}
    assert sum(stage["most_core_h"] for stage in generous.values()) == pytest.approx(0.5)
    change(request, compute={"ceiling": {"core_h": 0.25}})
    assert call(*words).code == 0
    found = kept(tmp_path / "out")["stages"]
    assert sum(stage["most_core_h"] for stage in found) <= 0.25
    for stage in found:
        assert stage["minutes"] < generous[stage["verb"]]["minutes"]
        assert 60 * stage["minutes"] >= 1.5 * stage["seconds"]


def test_a_ceiling_means_nothing_where_nothing_is_billed(
    tmp_path: Path, samples: list[Any]
) -> None:
    request = monitoring(tmp_path, compute={"ceiling": {"core_h": 0.0}})
    said = call("request", "quote", request, "--out", tmp_path / "out")
    assert said.code == 0
    assert "this machine bills nothing" in said.out


def test_personal_data_are_refused_before_anything_is_sampled(
    tmp_path: Path, samples: list[Any]
) -> None:
    request = monitoring(tmp_path, rights={"personal_data": "pseudonymous"})
    said = call("request", "quote", request, "--out", tmp_path / "out", "--machine", SLURM / "lumi")
    assert "personal data" in one_line(said)
    assert samples == []


def test_the_scaling_tables(tmp_path: Path, samples: list[Any]) -> None:
    request = monitoring(tmp_path, compute={"backend": "auto"})
    words = ("plan", request, "--out", tmp_path / "out", "--scaling")
    assert "add --machine" in one_line(call(*words))
    said = call(*words, "--machine", SLURM / "lumi", "--target", "lumi-standard-g")
    assert said.code == 0, said.err
    strong, weak = said.out.split("as many times the data")
    rows = {line.split()[0]: line.split() for line in strong.splitlines() if line[:1].isdigit()}
    # 1000 chunks: beyond the next power of two there is nothing to gain, and nothing is shown.
    assert list(rows)[-1] == "1024"
    # Whole nodes are not given for fewer ranks than they have devices.
    assert rows["1"][-4:] == ["not", "on", "this", "target"]
    assert (rows["8"][1], rows["1024"][1]) == ("1", "128")
    assert rows["8"][-1] == "core-h"
    assert "GPU-h" in rows["8"]
    assert "prepare 258, train 1000, score 1000" in strong
    assert "8192" in weak
    assert len(samples) == 1


def test_words_for_seconds_and_bytes() -> None:
    assert [duration(value) for value in (0.0, 9.94, 95.4, 719.0, 12600.0)] == [
        "0.0 s",
        "9.9 s",
        "95 s",
        "12 min",
        "3.5 h",
    ]
    assert [size(value) for value in (500, 1.5e6, 2e9, 3.5e13)] == [
        "0.5 kB",
        "1.5 MB",
        "2 GB",
        "35 TB",
    ]


def test_what_is_done_costs_nothing_more(tmp_path: Path, samples: list[Any]) -> None:
    request, out = monitoring(tmp_path, compute={"ceiling": {"core_h": 0.4}}), tmp_path / "out"
    for verb in ("prepare", "train"):
        assert call(verb, request, "--out", out).code == 0
    said = call("request", "quote", request, "--out", out, *LUMI)
    assert said.code == 0, said.err
    rows = {line.split()[0]: line for line in said.out.splitlines() if line}
    assert "done" in rows["prepare"]
    assert "done" in rows["train"]
    (score,) = [stage for stage in kept(out)["stages"] if not stage["done"]]
    assert rows["core-h"].split()[1] == f"{score['core_h']:.3g}"
    # All three at ten minutes would be half a core-hour; what is done is not counted.
    assert score["minutes"] == 10
