"""From a result to what people read: the result's data model, its figures and the report.

What a family computes is in `lumipipe.families`; this package only declares and draws.
"""
