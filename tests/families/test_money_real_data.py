"""Costs on real files: what acting at the chosen limit saves, or that it did not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest

from running import Done, answer, ready_request
from small_requests import change

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.reporting.result import Money, Policy

pytestmark = [pytest.mark.real, pytest.mark.slow]


def priced(name: str, folder: Path, data: Path, miss: float, false: float, **more: object) -> Done:
    request = ready_request(name, folder, data)
    costs = {"cost_of_miss": miss, "cost_of_false_alarm": false, **more}
    return answer(change(request, question=costs), folder / "out")


def ways(done: Done) -> tuple[Money, dict[str, Policy]]:
    money = done.result.money
    assert money is not None
    return money, {policy.name: policy for policy in money.policies}


def test_weak_concrete_is_acted_on_above_the_specification(tmp_path: Path, real_data: Path) -> None:
    """A miss dearer than a false alarm moves the limit up, and that pays on mixes never seen."""
    done = priced("concrete", tmp_path, real_data, 50, 20, event={"below": 40})
    money, found = ways(done)
    assert money.act == "below_limit"
    assert money.limit is not None
    assert money.limit > 40
    saved = found["as_before"].saved_lower
    assert saved is not None
    assert saved > 0
    assert min(found["always"].cost, found["never"].cost) > found["chosen"].cost
    (comparison,) = done.result.comparisons
    assert (comparison.name, comparison.outcome) == ("training_mean", "better")
    rows = pq.read_table(done.product("score") / "rows.parquet").to_pandas()
    truth = rows["measured"].to_numpy()
    # The means of the folds differ little.
    assert comparison.baseline == pytest.approx(np.std(truth), rel=0.01)


def test_a_limit_of_earlier_years_does_not_hold_in_the_next(
    tmp_path: Path, real_data: Path
) -> None:
    """A limit learnt on 2011-2013 acts too often in 2014."""
    done = priced("gas-turbine", tmp_path, real_data, 500, 100, event={"above": 80})
    money, found = ways(done)
    assert money.limit is not None
    assert money.limit < 80
    assert found["chosen"].cost > found["as_before"].cost
    assert "costs less by" in str(money.tested)
    mean, last = done.result.comparisons
    assert mean.outcome == "not_told_apart"  # from the mean of 2011-2013
    # An analyser that goes on measuring needs no model for the next hour.
    assert (last.name, last.outcome) == ("last_value", "worse")


def test_where_half_of_the_rows_are_faulty_dear_misses_are_always_acted_on(
    tmp_path: Path, real_data: Path
) -> None:
    done = priced("skab", tmp_path, real_data, 12000, 800, will_act_if="probability above 0.3")
    money, found = ways(done)
    assert found["chosen"].acts > 0.99
    assert found["chosen"].cost == pytest.approx(found["always"].cost, rel=0.02)
    assert money.contradiction is not None
    saved = found["stated"].saved_lower
    assert saved is not None
    assert saved > 0  # acting above 0.3 as the request says costs more
