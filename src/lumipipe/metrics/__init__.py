"""Statistics of answers: what is counted when predictions meet the truth.

How sure a statistic is, is in `lumipipe.uncertainty`.
"""
