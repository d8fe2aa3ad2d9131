"""Whole families on a device of which no value may be looked at in passing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lumipipe.backend import Backend, choose_backend
from lumipipe.comm import SerialComm
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.prepare import prepare
from lumipipe.tasks.request import load_request
from lumipipe.tasks.score import RESULT, score
from lumipipe.tasks.train import train
from small_requests import ALL_FEATURES, FAMILIES, activity
from tasks.strict_device import HiddenCopyError, StrictDevice, no_hidden_copies

if TYPE_CHECKING:
    from pathlib import Path


def answer(request: Path, backend: Backend) -> dict[str, Any]:
    """The answer by one backend."""
    loaded, comm = load_request(request), SerialComm()
    stages = plan_run(loaded, request.parent / backend.name, lambda _: None)
    prepare(loaded.request, loaded.base, stages["prepare"], comm, lambda _: None)
    train(loaded, stages, comm, backend, lambda _: None)
    score(loaded, stages, comm, backend, lambda _: None)
    file = stages["score"].manifest.with_suffix("") / RESULT
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def check(request: Path) -> None:
    """Fail unless the device gives the host's answer, and nothing left it unseen."""
    host = answer(request, choose_backend("numpy"))
    with no_hidden_copies():
        device = answer(request, StrictDevice())
    compare(device, host)


def compare(device: dict[str, Any], host: dict[str, Any]) -> None:
    """Fail unless both answers say the same."""
    assert device["verdict"] == host["verdict"]
    for one, other in zip(device["metrics"], host["metrics"], strict=True):
        assert one["name"] == other["name"]
        np.testing.assert_allclose(one["value"], other["value"], rtol=1e-6, atol=1e-9)
    assert [unit["id"] for unit in device["units"]] == [unit["id"] for unit in host["units"]]


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_computes_on_a_device(tmp_path: Path, family: str) -> None:
    check(FAMILIES[family](tmp_path))


@pytest.mark.slow
def test_all_features_are_computed_on_a_device(tmp_path: Path) -> None:
    check(activity(tmp_path, train={"features": ALL_FEATURES}))


@pytest.mark.gpu
@pytest.mark.parametrize("family", [*FAMILIES, "all features"])
def test_a_family_computes_on_a_gpu(tmp_path: Path, family: str) -> None:
    if family == "all features":
        request = activity(tmp_path, train={"features": ALL_FEATURES})
    else:
        request = FAMILIES[family](tmp_path)
    compare(answer(request, choose_backend("cupy")), answer(request, choose_backend("numpy")))


@pytest.mark.parametrize("look", [float, bool, int, np.asarray, list])
def test_a_look_in_passing_is_found(look: Any) -> None:
    array = StrictDevice().asarray(np.ones(()))
    with no_hidden_copies(), pytest.raises((HiddenCopyError, RuntimeError)):
        look(array)
