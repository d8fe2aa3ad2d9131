"""Analyses: one file each, and the registry that names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.families.activity import Activity
from lumipipe.families.ambient import Ambient
from lumipipe.families.bearing import Bearing
from lumipipe.families.carbon import Carbon
from lumipipe.families.emission import Emission
from lumipipe.families.esports import Esports
from lumipipe.families.hrv import Hrv
from lumipipe.families.monitoring import Monitoring
from lumipipe.families.recipe import Recipe
from lumipipe.families.remaining_life import RemainingLife
from lumipipe.families.session_load import SessionLoad
from lumipipe.families.soft_sensor import SoftSensor
from lumipipe.families.technique import Technique

if TYPE_CHECKING:
    from lumipipe.families.interface import Family

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Activity(),
        Ambient(),
        Bearing(),
        Carbon(),
        Emission(),
        Esports(),
        Hrv(),
        Monitoring(),
        Recipe(),
        RemainingLife(),
        SessionLoad(),
        SoftSensor(),
        Technique(),
    )
}
