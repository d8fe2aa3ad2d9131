"""The class of settings that bundled modules derive from; none are made in a bundle."""

from __future__ import annotations


class Settings:
    """Nothing."""
