"""Figures: a declared figure in, markup for the report out; one file a kind.

What the kinds hold is in `declared`, which loads nothing that draws; `drawing` turns them into
markup. What the drawings share is in `canvas` and `series`, and where labels go in `labels`.
"""
