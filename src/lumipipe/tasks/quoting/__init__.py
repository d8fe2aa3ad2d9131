"""How a quote is made: sample raw files, run the verbs on them, extrapolate, price, compare.

In this order: `rawsample`, `watching` (one verb in a process of its own), `sampling` (how often),
`costs` (what that gives), `extrapolation`, `pricing`, `ceiling`, `price` (the quote as data). The
verb is `lumipipe.tasks.quote`, the words are in `lumipipe.tasks.quoted`.
"""
