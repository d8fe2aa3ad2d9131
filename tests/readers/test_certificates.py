"""What certificates state, in the unit of storage, with k divided out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lumipipe.config import Certificate, Channel
from lumipipe.errors import InputError
from lumipipe.readers.certificates import certified_u


def channel(quantity: str, unit: str, certificate: Any) -> Channel:
    return Channel.model_validate(
        {"name": "x", "quantity": quantity, "unit": unit, "certificate": certificate}
    )


@pytest.mark.parametrize(
    ("quantity", "unit", "stated", "u", "stored"),
    [
        ("power", "kW", {"u": 0.5}, 0.5, "kW"),
        ("power", "kW", {"expanded": 50.0, "k": 2.0, "unit": "W"}, 0.025, "kW"),
        ("acceleration", "g", {"u": 1e-3}, 9.80665e-3, "m/s2"),
        ("acceleration", "m/s2", {"u": 1e-3, "unit": "g"}, 9.80665e-3, "m/s2"),
        ("temperature", "°C", {"expanded": 0.3, "k": 2.0, "unit": "K"}, 0.15, "°C"),
        ("rotational_frequency", "1/min", {"u": 6.0}, 0.1, "Hz"),
        ("something", "V", {"u": 1.0, "unit": "mV"}, 1e-3, "V"),
    ],
)
def test_a_stated_uncertainty_is_brought_to_the_unit_of_storage(
    quantity: str, unit: str, stated: dict[str, Any], u: float, stored: str
) -> None:
    found = certified_u(channel(quantity, unit, {"id": "dcc-1", **stated}), "r.yaml:1")
    assert found is not None
    assert found[0] == pytest.approx(u, rel=1e-12)
    assert found[1] == stored


@pytest.mark.parametrize("certificate", ["dcc-1", "not characterised", {"id": "dcc-1"}])
def test_nothing_is_made_up_where_none_is_stated(certificate: Any) -> None:
    assert certified_u(channel("power", "W", certificate), "r.yaml:1") is None


def test_another_dimension_is_refused() -> None:
    stated = {"id": "dcc-1", "u": 0.1, "unit": "K"}
    with pytest.raises(InputError, match="in K, which does not measure voltage in V; state the"):
        certified_u(channel("voltage", "V", stated), "r.yaml:1")


@given(st.floats(1e-6, 1e6), st.floats(1.0, 5.0))
def test_k_is_divided_out(u: float, k: float) -> None:
    expanded = Certificate(id="dcc-1", expanded=u * k, k=k).standard_u
    assert expanded == pytest.approx(Certificate(id="dcc-1", u=u).standard_u, rel=1e-15)


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"expanded": 0.1}, "belong together"),
        ({"k": 2.0}, "belong together"),
        ({"u": 0.1, "expanded": 0.2, "k": 2.0}, "twice"),
        ({"unit": "K"}, "unit is that of an uncertainty"),
    ],
)
def test_half_of_a_statement_is_refused(stated: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Certificate(id="dcc-1", **stated)
