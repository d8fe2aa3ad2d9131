"""Frequencies at which the faults of a rolling bearing show.

How well a spectrum matches them is judged elsewhere, in `lumipipe.features.envelope`.
"""

from __future__ import annotations

import math


def fault_frequencies(
    elements: int, diameter_ratio: float, contact_angle_deg: float, shaft_hz: float
) -> dict[str, float]:
    """Fault frequencies of a bearing with a fixed outer ring, without slip.

    Parameters
    ----------
    elements : int
        Rolling elements.
    diameter_ratio : float
        Diameter of a rolling element over the pitch diameter.
    contact_angle_deg : float
        Contact angle, degrees.
    shaft_hz : float
        Rotations of the inner ring per second; 1 gives orders.

    Returns
    -------
    dict of str to float, Hz
        ``BPFO`` and ``BPFI``, passing frequencies of the outer and the inner ring; ``FTF``,
        rotation of the cage; ``BSF``, rotation of an element about itself; ``2xBSF``, at which
        a fault of an element strikes both rings.

    Notes
    -----
    *Accuracy*: slip moves the measured frequencies by 1 to 2 %, by the source.

    References
    ----------
    .. [1] Randall & Antoni, "Rolling element bearing diagnostics: a tutorial", Mech. Syst.
       Signal Process. 25, 2011, Eqs. 1 to 4.

    Examples
    --------
    >>> round(fault_frequencies(9, 0.3126 / 1.537, 0.0, 1.0)["BPFI"], 4)
    5.4152
    """
    ratio = diameter_ratio * math.cos(math.radians(contact_angle_deg))
    spin = shaft_hz / (2.0 * diameter_ratio) * (1.0 - ratio * ratio)
    return {
        "BPFO": 0.5 * elements * shaft_hz * (1.0 - ratio),
        "BPFI": 0.5 * elements * shaft_hz * (1.0 + ratio),
        "FTF": 0.5 * shaft_hz * (1.0 - ratio),
        "BSF": spin,
        "2xBSF": 2.0 * spin,
    }
