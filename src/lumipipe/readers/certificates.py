"""What certificates of calibration say of channels, in the units in which readings are stored.

What stands in the file of a certificate comes from `lumipipe.readers.certificatefiles`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.config import Certificate
from lumipipe.errors import InputError
from lumipipe.readers.units import FACTORS, conversion, normal_unit, product_in

if TYPE_CHECKING:
    from lumipipe.config import Channel

_DIFFERENCES = {"°C": "K", "degC": "K"}
"""Units whose differences have another one: nothing is added where two readings are compared."""
_BY_TABLE = frozenset(FACTORS)
"""Quantities with units that general rules do not read, such as g for acceleration."""


def certified_u(channel: Channel, place: str) -> tuple[float, str] | None:
    """Standard uncertainty that the certificate of a channel states, k divided out.

    Parameters
    ----------
    channel : Channel
        Of the request.
    place : str
        Where it is declared, for the error.

    Returns
    -------
    tuple of float and str or None
        In the unit in which readings of the channel are stored, and that unit; None where the
        certificate states none.

    Raises
    ------
    InputError
        If the unit of the uncertainty is no unit of the channel's quantity; state it in the
        channel's unit.

    Notes
    -----
    *Method*: U / k (JCGM 100:2008, 4.3.3), times the factor of the units. An uncertainty is a
    difference, so that an offset between units, as between kelvin and degree Celsius, is no part.

    Examples
    --------
    >>> from lumipipe.config import Channel
    >>> stated = {"id": "dcc-1", "expanded": 2.0, "k": 2.0, "unit": "mV"}
    >>> about = {"name": "v", "quantity": "voltage", "unit": "V", "certificate": stated}
    >>> certified_u(Channel.model_validate(about), "request.yaml:9")
    (0.001, 'V')
    """
    known = channel.certificate
    if not isinstance(known, Certificate) or known.standard_u is None:
        return None
    factor, _, stored = conversion(channel.quantity, channel.unit, place)
    if known.unit is not None:
        factor *= of_channel(known.unit, channel, f"{place}: {known.id or known.file}")
    return factor * known.standard_u, stored


def of_channel(unit: str, channel: Channel, place: str) -> float:
    """How many of the channel's unit one of a difference in another unit is.

    Raises
    ------
    InputError
        If the unit does not measure the channel's quantity; state the uncertainty in its unit.
    """
    pair = [normal_unit(one) for one in (unit, channel.unit)]
    if pair[0] == pair[1]:
        return 1.0
    try:
        if channel.quantity in _BY_TABLE:
            factors = [conversion(channel.quantity, one, place)[0] for one in (unit, channel.unit)]
            return factors[0] / factors[1]
        return product_in([_DIFFERENCES.get(pair[0], unit)], _into(pair[1], channel), place)
    except InputError as error:
        raise InputError(
            place,
            f"its uncertainty is in {unit}, which does not measure {channel.quantity} in "
            f"{channel.unit}",
            f"state the uncertainty in {channel.unit}",
        ) from error


def _into(unit: str, channel: Channel) -> str:
    """Unit of differences of the channel's readings."""
    return _DIFFERENCES.get(unit, channel.unit)
