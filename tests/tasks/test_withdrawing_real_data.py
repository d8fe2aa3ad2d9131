"""One of the ten persons of the watch data withdraws: the model is that of the other nine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from command import call
from conftest import ROOT
from pooled import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.real, pytest.mark.slow]

pytest.importorskip("seglearn", reason="the watch data come with the package seglearn")
GONE = "3"  # the data call the person so; the request p3


def watch(folder: Path, **changes: dict) -> Path:
    """The ready request of the demonstration with sections changed, and a pool."""
    text = (ROOT / "config" / "requests" / "demo-watch.yaml").read_text(encoding="utf-8")
    form = yaml.safe_load(text)
    for section, values in changes.items():
        form[section] |= values
    folder.mkdir()
    request = folder / "request.yaml"
    request.write_text(yaml.safe_dump(form), encoding="utf-8")
    return request


def test_the_model_without_a_person_is_that_of_the_nine(tmp_path: Path) -> None:
    terms = {"policy": "research", "actor": "research", "purpose": "AcademicResearch"}
    request = watch(tmp_path / "pooled", rights=terms | {"pool": "pool"}, compute={"ranks": 1})
    pool = request.parent / "pool"
    assert call("pool", "init", pool).code == 0
    out = run(request)
    assert call("pool", "add", pool, out, "--id", "watch").code == 0
    said = call("pool", "withdraw", pool, "watch", f"p{GONE}")
    assert said.code == 0, said
    assert "the model was merged again without them" in said.out
    (merged,) = out.glob("train/*/model.npz")

    # Without any pool, by a setting that lets recordings take no part.
    without = {"leave_out": {"subject": [GONE]}}
    nine = run(watch(tmp_path / "nine", train=without, compute={"ranks": 1}))
    (model,) = nine.glob("train/*/model.npz")
    for name in ("model.npz", "model.json"):
        assert merged.with_name(name).read_bytes() == model.with_name(name).read_bytes()
    assert f"p{GONE}" not in (merged.with_name("model.json")).read_text(encoding="utf-8")
