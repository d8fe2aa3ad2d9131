from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.errors import InputError
from lumipipe.machine.sizes import in_words, mebibytes


@pytest.mark.parametrize(
    ("text", "mib"),
    [
        ("2G", 2048),
        ("2GB", 2048),
        ("2GiB", 2048),
        (2048, 2048),
        ("2048", 2048),
        ("1.5 GiB", 1536),
        ("2 g", 2048),
        ("512M", 512),
        ("1T", 2**20),
        ("1K", 1),  # never less than was asked for
        ("1025 KiB", 2),
        (" 4 GiB ", 4096),
    ],
)
def test_amounts(text: str | int, mib: int) -> None:
    assert mebibytes(text, "compute.memory") == mib


@pytest.mark.parametrize(
    "text",
    ["", "-1", -1, 0, "0", "0 G", "G", "2 X", "2 G G", "1e3", "nan", "1,5 G", True, "2 GiBi"],
)
def test_what_is_no_amount_is_refused(text: str | int) -> None:
    with pytest.raises(InputError, match="is no amount of memory") as caught:
        mebibytes(text, "r.yaml:3")
    assert caught.value.place == "r.yaml:3"
    assert repr(text) in caught.value.problem


@given(st.integers(1, 10**7), st.sampled_from(["M", "G", "T"]))
def test_the_larger_unit_is_1024_of_the_smaller(number: int, suffix: str) -> None:
    smaller = {"M": "K", "G": "M", "T": "G"}[suffix]
    assert mebibytes(f"{number}{suffix}", "") == mebibytes(f"{number * 1024}{smaller}", "")


def test_a_plan_states_both_units() -> None:
    assert in_words(2048) == "2048 MiB (2.1 GB)"
