"""The pool: terms of use, pseudonyms, cards, packets, and the border that they cross.

Values and decisions only; folders and runs are handled by `lumipipe.tasks`.
"""
