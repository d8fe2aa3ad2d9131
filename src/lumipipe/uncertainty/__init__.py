"""Intervals, prediction sets and control limits: how sure an answer is.

What is counted or averaged is in `lumipipe.metrics`.
"""
