"""Sites that share no data: packets in any order are the model of the joined data."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pytest

from command import call, one_line
from lumipipe.pool.packets import packet_from
from lumipipe.store.artifact import read_arrays
from pooled import persons, run
from small_requests import change

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SITES = {
    "kajaani": ["kajaani-anna", "kajaani-bo", "kajaani-carl"],
    "oulu": ["oulu-dora", "oulu-eino", "oulu-fia", "oulu-gus"],
    "vuokatti": ["vuokatti-hei", "vuokatti-ina", "vuokatti-jon"],
}
FROM_ROWS = {"fold_threshold", "final_threshold", "envelope_t2", "envelope_spe"}
SUMS = ("count", "mean", "comoment")


@pytest.fixture(scope="module")
def packets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A packet of each site."""
    found = {}
    for site, names in SITES.items():
        folder = tmp_path_factory.mktemp(site)
        out = run(persons(folder, names))
        found[site] = folder / f"{site}.packet"
        said = call("packet", "make", out, "--site", site, "--fewest", 3, "--out", found[site])
        assert said.code == 0, said
    return found


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, np.ndarray], dict]:
    """The model of all persons, with sites held out."""
    names = [name for site in SITES.values() for name in site]
    folder = tmp_path_factory.mktemp("joined")
    out = run(persons(folder, names, evaluation={"split": {"kind": "group", "by": "site"}}))
    (model,) = out.glob("train/*/model.npz")
    return read_arrays(model.with_suffix(""))


def test_packets_in_any_order_are_the_joined_data(packets, joined, tmp_path: Path) -> None:
    bytes_of = set()
    for number, order in enumerate(permutations(packets.values())):
        merged = tmp_path / f"{number}.packet"
        assert call("packet", "merge", *order, "--out", merged).code == 0
        bytes_of.add(merged.read_bytes())
    assert len(bytes_of) == 1
    said = call("packet", "fit", merged, "--out", tmp_path / "model")
    assert said.code == 0, said
    assert "thresholds are infinite" in said.out
    arrays, card = read_arrays(tmp_path / "model" / "model")
    expected, of_joined = joined
    assert set(arrays) == set(expected)
    for name, array in arrays.items():
        assert array.dtype == expected[name].dtype
        if name not in FROM_ROWS:
            assert array.tobytes() == expected[name].tobytes(), name
    assert np.isinf(arrays["final_threshold"]).all()
    assert np.abs(arrays["final_coef"]).max() > 0
    assert card["is_calibrated"] is False
    assert {name: card[name] for name in of_joined} == of_joined
    assert card["fold_of_group"] == {site: number for number, site in enumerate(sorted(SITES))}


def test_with_scores_of_all_sites_the_whole_model_is_that_of_the_joined_data(
    packets, joined, tmp_path: Path
) -> None:
    whole = calibrated(packets, tmp_path)
    fitted = set()
    for order in permutations(whole.values()):
        assert call("packet", "merge", *order, "--out", tmp_path / "whole").code == 0
        said = call("packet", "fit", tmp_path / "whole", "--out", tmp_path / "model")
        assert said.code == 0, said
        assert "infinite" not in said.out
        fitted.add((tmp_path / "model" / "model.npz").read_bytes())
    assert len(fitted) == 1
    arrays, card = read_arrays(tmp_path / "model" / "model")
    expected, of_joined = joined
    assert set(arrays) == set(expected)
    for name, array in arrays.items():
        assert array.tobytes() == expected[name].tobytes(), name
    assert np.isfinite([arrays["envelope_t2"], arrays["envelope_spe"]]).all()
    assert np.isfinite(arrays["final_threshold"]).all()
    assert {name: card[name] for name in of_joined} == of_joined
    for site, path in whole.items():
        content = path.read_bytes()
        assert not [name for name in SITES[site] if name.encode() in content]
        (told,) = packet_from(content, "test").sites
        assert {array.dtype for array in told.scores.values()} == {np.dtype(np.int32)}
        assert "scores: told" in call("packet", "inspect", path).out


def calibrated(packets: dict[str, Path], folder: Path) -> dict[str, Path]:
    """The packets with the scores of their sites."""
    assert call("packet", "merge", *packets.values(), "--out", folder / "sums").code == 0
    found = {}
    for site, packet in packets.items():
        found[site] = folder / f"{site}.calibrated"
        out = packet.parent / "out"
        said = call(
            "packet", "calibrate", folder / "sums", out, "--site", site, "--out", found[site]
        )
        assert said.code == 0, said
    return found


def test_scores_of_some_sites_or_of_other_sums_set_no_threshold(packets, tmp_path: Path) -> None:
    whole = calibrated(packets, tmp_path)
    mixed = [whole["kajaani"], whole["oulu"], packets["vuokatti"]]
    assert call("packet", "merge", *mixed, "--out", tmp_path / "mixed").code == 0
    line = one_line(call("packet", "fit", tmp_path / "mixed", "--out", tmp_path / "model"))
    assert "the scores of site vuokatti are missing" in line
    packet = packet_from(whole["oulu"].read_bytes(), "test")
    other = replace(packet.sites[0], calibrated_on="0" * 64)
    (tmp_path / "other").write_bytes(replace(packet, sites=(other,)).content)
    mixed = [whole["kajaani"], whole["vuokatti"], tmp_path / "other"]
    assert call("packet", "merge", *mixed, "--out", tmp_path / "mixed").code == 0
    line = one_line(call("packet", "fit", tmp_path / "mixed", "--out", tmp_path / "model"))
    assert "the scores of site oulu are of the sums of other sites" in line
    # A run that is not the site's gives no scores for it.
    out = packets["kajaani"].parent / "out"
    file = tmp_path / "wrong"
    words = ("packet", "calibrate", tmp_path / "sums", out, "--site", "oulu", "--out", file)
    assert "does not hold site oulu as the run has it" in one_line(call(*words))
    assert not file.exists()


def test_scores_off_the_grid_do_not_leave(packets, tmp_path: Path) -> None:
    path = calibrated(packets, tmp_path)["oulu"]
    packet = packet_from(path.read_bytes(), "test")
    (site,) = packet.sites
    name = max(site.state)  # a score
    assert name.startswith("score:")
    for leak in (site.state[name].astype(float), site.state[name][::-1].copy()):
        leaky = replace(site, state=site.state | {name: leak})
        file = tmp_path / "leaky"
        file.write_bytes(replace(packet, sites=(leaky,)).content)
        line = one_line(call("pool", "stage", file, "--to", tmp_path / "outside"))
        assert "that are not on the grid; it stays inside" in line


def test_merging_in_steps_is_merging_at_once(packets, tmp_path: Path) -> None:
    a, b, c = packets.values()
    assert call("packet", "merge", c, a, "--out", tmp_path / "ca").code == 0
    assert call("packet", "merge", b, tmp_path / "ca", "--out", tmp_path / "bca").code == 0
    assert call("packet", "merge", a, b, c, "--out", tmp_path / "abc").code == 0
    assert (tmp_path / "bca").read_bytes() == (tmp_path / "abc").read_bytes()


def test_no_person_is_in_a_packet(packets) -> None:
    for site, path in packets.items():
        content = path.read_bytes()
        assert site.encode() in content
        assert not [name for name in SITES[site] if name.encode() in content]
        (told,) = packet_from(content, "test").sites
        assert (told.units, told.noise, told.personal_data) == (
            len(SITES[site]),
            "none",
            "pseudonymous",
        )
        others = [name for name in told.state if not name.endswith(tuple(f'{n}"]' for n in SUMS))]
        assert others
        assert all(".sample_" in name and not len(told.state[name]) for name in others)
        said = call("packet", "inspect", path)
        assert (
            f"of {len(SITES[site])} unit(s), at least 3 asked; personal data: pseudonymous"
            in said.out
        )
        assert "border: may leave" in said.out


def test_too_few_persons_make_no_packet(packets, tmp_path: Path) -> None:
    out = packets["oulu"].parent / "out"
    file = tmp_path / "few.packet"
    said = call("packet", "make", out, "--site", "oulu", "--fewest", 5, "--out", file)
    assert "stands for 4 units, at least 5 are asked" in one_line(said)
    assert not file.exists()


@pytest.mark.parametrize(
    ("change_of", "said"),
    [
        ({"units": 1}, "its state stands for one person, at least 3 are asked; it stays inside"),
        ({"units": 2, "fewest": 1}, "its state stands for 2 units, at least 3 are asked"),
        ({"rows": 100}, "which gives the rows away"),
        ({"noise": ""}, "does not say what noise was added"),
    ],
)
def test_the_border_refuses_and_writes_nothing(packets, tmp_path: Path, change_of, said) -> None:
    packet = packet_from(packets["oulu"].read_bytes(), "test")
    weak = replace(packet, sites=(replace(packet.sites[0], **change_of),))
    file = tmp_path / "weak.packet"
    file.write_bytes(weak.content)
    outside = tmp_path / "outside" / "lumi"
    assert said in one_line(call("pool", "stage", file, "--to", outside))
    assert not outside.parent.exists()
    assert "border: REFUSED" in call("packet", "inspect", file).out
    assert said in one_line(call("packet", "fit", file, "--out", tmp_path / "model"))


def test_rows_of_single_windows_do_not_leave(packets, tmp_path: Path) -> None:
    packet = packet_from(packets["oulu"].read_bytes(), "test")
    (site,) = packet.sites
    (name,) = (name for name in site.state if name.endswith('"fit.sample_x"]'))
    width = site.state[name].shape[1]
    leaky = replace(site, state=site.state | {name: np.zeros((1, width))})
    file = tmp_path / "leaky.packet"
    file.write_bytes(replace(packet, sites=(leaky,)).content)
    line = one_line(call("pool", "stage", file, "--to", tmp_path / "outside"))
    assert "holds rows of single windows, not sums alone" in line


@pytest.mark.parametrize("name", ["range.low", "guard.rows", "high"])
def test_what_is_no_sum_does_not_leave(packets, tmp_path: Path, name: str) -> None:
    packet = packet_from(packets["oulu"].read_bytes(), "test")
    (site,) = packet.sites
    leaky = replace(site, state=site.state | {name: np.zeros(4)})
    file = tmp_path / "leaky.packet"
    file.write_bytes(replace(packet, sites=(leaky,)).content)
    line = one_line(call("pool", "stage", file, "--to", tmp_path / "outside"))
    assert f"holds {name}, which is no sum" in line


def test_the_model_of_a_packet_makes_no_bundle(packets, tmp_path: Path) -> None:
    assert call("packet", "merge", *packets.values(), "--out", tmp_path / "all").code == 0
    assert call("packet", "fit", tmp_path / "all", "--out", tmp_path / "model").code == 0
    said = one_line(call("bundle", tmp_path / "model", "--valid-until", "2999-12-31"))
    assert "its model comes from a packet" in said
    assert not (tmp_path / "model" / "bundle").exists()


def test_a_sound_packet_is_staged(packets, tmp_path: Path) -> None:
    assert call("pool", "stage", packets["oulu"], "--to", tmp_path / "outside").code == 0
    staged = tmp_path / "outside" / packets["oulu"].name
    assert staged.read_bytes() == packets["oulu"].read_bytes()


def test_packets_that_do_not_add_are_refused(packets, tmp_path: Path) -> None:
    a, b, _ = packets.values()
    out = tmp_path / "out.packet"
    assert "holds site kajaani, as does" in one_line(call("packet", "merge", a, a, "--out", out))
    other = packet_from(b.read_bytes(), "test")
    changed = replace(other, schema=other.schema | {"common": {"rate_hz": 21.0}})
    (tmp_path / "other").write_bytes(changed.content)
    said = one_line(call("packet", "merge", a, tmp_path / "other", "--out", out))
    assert (
        f"{tmp_path / 'other'}: has other common.classes than {a}, so their states do not add"
        in said
    )
    said = one_line(call("packet", "fit", a, "--out", tmp_path / "model"))
    assert "packet: holds 1 sites; merge at least 3" in said
    assert not out.exists()


def test_a_changed_packet_is_found(packets, tmp_path: Path) -> None:
    content = bytearray(packets["oulu"].read_bytes())
    content[-5] ^= 1
    (tmp_path / "changed").write_bytes(content)
    assert "was damaged or changed" in one_line(call("packet", "inspect", tmp_path / "changed"))
    (tmp_path / "text").write_text("hello", encoding="utf-8")
    assert "is no packet" in one_line(call("packet", "inspect", tmp_path / "text"))


def test_units_cut_into_folds_make_no_packet(tmp_path: Path) -> None:
    request = persons(tmp_path, SITES["oulu"], evaluation={"split": {"by": "exercise", "folds": 2}})
    change(request, evaluation={"split": {"by": "recording", "folds": 4}})
    out = run(request)
    said = call("packet", "make", out, "--site", "oulu", "--out", tmp_path / "oulu.packet")
    assert "cuts units into folds" in one_line(said)


def test_a_run_outside_a_pool_keeps_no_states(tmp_path: Path) -> None:
    request = persons(tmp_path, SITES["oulu"], rights={"personal_data": "none"})
    out = run(request)
    said = call("packet", "make", out, "--site", "oulu", "--out", tmp_path / "oulu.packet")
    assert "keeps no states of training; set rights.pool" in one_line(said)
    assert json.loads((out / "plan.json").read_text(encoding="utf-8"))["ranks"] == 1
