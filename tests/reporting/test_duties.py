"""Each duty of the terms of use has a sentence in the report."""

from __future__ import annotations

from typing import get_args

from lumipipe.pool.policy import Duty
from lumipipe.reporting.words import WORDS


def test_each_duty_has_a_sentence() -> None:
    words = WORDS
    for action in get_args(Duty.model_fields["action"].annotation):
        assert "{what}" in words[f"duty_{action}"]
    for target in ("data", "results", "model"):
        assert words[f"duty_{target}"]
