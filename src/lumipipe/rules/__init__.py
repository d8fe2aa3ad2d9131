"""Limits of standards as data: tables with who entered each row and who compared it.

The tables that come with lumipipe are YAML files in ``data/``; how one is read, searched and
cited is in `lumipipe.rules.tables`. What is done with a limit is a family's.
"""
