"""Pure functions of arrays: one topic a file, any library of the array API standard.

No I/O, clock, global randomness or settings lives here; what the functions are used for is in
`lumipipe.features`, `lumipipe.models` and `lumipipe.metrics`.
"""
