from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.reporting.numbers import limit_of, percentage, rounded, rounded_interval


@pytest.mark.parametrize(
    ("value", "lower", "upper", "text"),
    [
        (0.8998877, 0.83, 0.95, "0.90"),  # half-width 0.06: one digit
        (0.8998877, 0.8877, 0.9123, "0.900"),  # half-width 0.0123: two
        (0.8998877, 0.8499, 0.9497, "0.900"),  # half-width 0.0499: two
        (0.8998877, 0.8499, 0.9501, "0.90"),  # half-width 0.0501: one
        (12345.678, 12000.0, 12700.0, "12\u202f350"),  # half-width 350: tens
        (12345.678, 12000.0, 13200.0, "12\u202f300"),  # half-width 600: hundreds
        (1.0, 0.86, 1.0, "1.00"),
        (-0.001, -0.2, 0.2, "0.00"),  # never minus zero
        (-3.14159, -3.2, -3.0, "\u22123.14"),
        (5.0, 4.0, None, "5.0"),  # one end: the half-width is the distance to it
        (0.0000123, 0.0000100, 0.0000140, "1.23×10⁻⁵"),
        (6.02214e23, 6.0e23, 6.1e23, "6.022×10²³"),
    ],
)
def test_a_value_is_printed_to_the_digit_of_its_half_width(value, lower, upper, text):
    assert rounded(value, lower, upper) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "n/a"),
        (0, "0"),
        (0.0, "0"),
        (1.0, "1"),
        (1240, "1240"),
        (297600, "297\u202f600"),
        (0.8998877, "0.900"),
        (0.0051, "0.0051"),  # no digit that the number does not have
        (12345.678, "12\u202f346"),  # digits before the point stay
        (99.96, "100.0"),
        (2**53, "9.007199×10¹⁵"),
        (1e-300, "1×10⁻³⁰⁰"),
    ],
)
def test_a_value_without_interval(value, text):
    assert rounded(value) == text


def test_value_and_ends_share_the_last_digit():
    assert rounded_interval(0.8998877, 0.8312, 0.9498) == ("0.90", "0.83", "0.95")
    assert rounded_interval(None, None, None) == ("n/a", "n/a", "n/a")


def test_a_failed_condition_never_looks_met():
    assert rounded_interval(0.7996, 0.75, 0.84, against=0.8) == ("0.7996", "0.7500", "0.8400")
    assert rounded(0.8, 0.75, 0.84, against=0.8) == "0.800"


@given(
    value=st.floats(-1e6, 1e6, allow_nan=False),
    half=st.floats(1e-6, 1e6),
)
def test_rounding_moves_a_value_by_less_than_half_its_half_width(value, half):
    # The last digit is at most the first digit of the half-width: half a step <= half / 2.
    lower, upper = value - half, value + half
    text = rounded(value, lower, upper)
    plain = text.replace("\u202f", "").replace("\u2212", "-")
    mantissa, _, power = plain.partition("×10")
    exponent = int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)
    printed = Decimal(mantissa).scaleb(exponent)
    slack = 4 * math.ulp(abs(value) + half)
    assert abs(float(printed) - value) <= (upper - lower) / 4 + slack + 1e-6 * abs(value)


def test_an_end_never_looks_on_the_other_side_of_a_limit_and_all_have_its_digits():
    assert rounded_interval(12.634, 10.44, 15.03, against=15.0, is_decided=False) == (
        "12.63",
        "10.44",
        "15.03",
    )
    assert percentage(0.89977, 0.8, 0.96, against=0.9, is_decided=False) == ("90", "80", "96")


def test_a_share_becomes_per_cent_without_binary_noise():
    assert percentage(0.29) == ("29", "n/a", "n/a")
    assert percentage(0.8996, 0.85, 0.8999, against=0.9) == ("89.96", "85.00", "89.99")


@pytest.mark.parametrize(
    ("condition", "limit"),
    [
        (">= 0.8", 0.8),
        ("<1e-3", 1e-3),
        ("≤ 10", 10.0),
        ("as low as can be", None),
        (None, None),
        ("<= 5 %", None),  # in which unit the value is, nobody knows
    ],
)
def test_the_limit_of_a_condition(condition, limit):
    assert limit_of(condition) == limit


def test_digits_that_binary_arithmetic_left_are_not_printed():
    assert 100 * 0.0175 != 1.75
    assert [rounded(100 * share, digits=4) for share in (0.0175, 0.035, 0.04)] == [
        "1.75",
        "3.5",
        "4",
    ]
