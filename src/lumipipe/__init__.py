"""Instrument files in; an answer with its uncertainty, a report and a re-runnable record out."""

__version__ = "0.1.0"
