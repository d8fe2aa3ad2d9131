"""Sites of each family whose states add: three packets, in any order, are the joined data."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

import small_requests
from command import call, one_line
from lumipipe.families import FAMILIES
from lumipipe.store.artifact import read_arrays
from pooled import run
from sites import ADD, MACHINES, SITES, finished

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

pytestmark = pytest.mark.slow


def model_of(out: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The one model of a run."""
    (model,) = out.glob("train/*/model.npz")
    return read_arrays(model.with_suffix(""))


@pytest.mark.parametrize("family", ADD)
def test_packets_in_any_order_are_the_joined_data(family: str, tmp_path: Path) -> None:
    runs = {site: finished(tmp_path / site, family, [site]) for site in SITES}
    packets = [tmp_path / f"{site}.packet" for site in SITES]
    for packet, (site, out) in zip(packets, runs.items(), strict=True):
        said = call("packet", "make", out, "--site", site, "--out", packet)
        assert said.code == 0, said
    sums = tmp_path / "sums.packet"
    assert call("packet", "merge", *packets, "--out", sums).code == 0
    calibrated = [tmp_path / f"{site}.calibrated" for site in SITES]
    for packet, (site, out) in zip(calibrated, runs.items(), strict=True):
        said = call("packet", "calibrate", sums, out, "--site", site, "--out", packet)
        assert said.code == 0, said
    bytes_of = set()
    for order in permutations(calibrated):
        whole = tmp_path / "whole.packet"
        assert call("packet", "merge", *order, "--out", whole).code == 0
        bytes_of.add(whole.read_bytes())
    assert len(bytes_of) == 1
    said = call("packet", "fit", whole, "--out", tmp_path / "fitted")
    assert said.code == 0, said
    arrays, card = read_arrays(tmp_path / "fitted" / "model")

    expected, of_joined = model_of(finished(tmp_path / "joined", family, SITES))
    shared = {
        name: array
        for name, array in expected.items()
        if not name.startswith(("spectrum_", "signal_", "random split"))  # of single recordings
    }
    assert set(arrays) == set(shared)
    for name, array in shared.items():
        assert arrays[name].tobytes() == array.tobytes(), name
    if family == "bearing":
        assert card["classifiers"]["classifier"] == of_joined["classifiers"]["classifier"]
    else:
        assert {name: card[name] for name in of_joined} == of_joined
    assert card["is_calibrated"] is True


@pytest.mark.parametrize(
    ("family", "reason"),
    [
        ("hrv", "nothing is learnt"),
        ("esports", "nothing is learnt"),
        ("carbon", "sites can add by themselves"),
        ("ambient", "a calibration belongs to one sensor"),
        ("session_load", "each person has a model of their own"),
        ("remaining_life", "intervals need the life of each row"),
        ("soft_sensor", "components are chosen on rows"),
        ("technique", "penalties are chosen on rows"),
        ("monitoring", "each unit has its own model of plant; set one_model_for: stream"),
    ],
)
def test_states_that_do_not_add_say_why(family: str, reason: str, tmp_path: Path) -> None:
    request = small_requests.FAMILIES[family](tmp_path, rights=MACHINES)
    assert call("pool", "init", tmp_path / "pool").code == 0
    out = run(request)
    file = tmp_path / "site.packet"
    line = one_line(call("packet", "make", out, "--site", "here", "--out", file))
    assert f"{family}: gives no packets: " in line
    assert reason in line
    assert not file.exists()


def test_each_family_says_how_its_states_merge() -> None:
    told = {*ADD, "activity"}
    refused = {"hrv", "esports", "carbon", "ambient", "session_load", "remaining_life"}
    refused |= {"soft_sensor", "technique"}
    assert told | refused == set(FAMILIES)
