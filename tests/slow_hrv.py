"""The family `hrv` once more, slowly: definitions and exclusions, interval by interval."""

from __future__ import annotations

import statistics


def slow(rr_ms: list[float], normal: list[bool], follows: list[bool]) -> dict[str, float]:
    """The definitions of the Task Force 1996, interval by interval."""
    nn = [value for value, ok in zip(rr_ms, normal, strict=True) if ok]
    steps = [
        rr_ms[at] - rr_ms[at - 1]
        for at in range(1, len(rr_ms))
        if normal[at] and normal[at - 1] and follows[at]
    ]
    mean = sum(nn) / len(nn)
    return {
        "mean_nn": mean,
        "heart_rate": 60_000 / mean,
        "sdnn": (sum((value - mean) ** 2 for value in nn) / (len(nn) - 1)) ** 0.5,
        "rmssd": (sum(step**2 for step in steps) / len(steps)) ** 0.5,
        "sdsd": statistics.stdev(steps),
        "pnn50": 100 * sum(abs(step) > 50 for step in steps) / len(steps),
    }


def slow_policy(rr_ms: list[float], follows: list[bool]) -> list[bool]:
    """Whether each interval counts: 250 to 2000 ms, and 20 % around five neighbours a side."""
    run = [sum(not on for on in follows[1 : at + 1]) for at in range(len(rr_ms))]
    found = []
    for at, value in enumerate(rr_ms):
        around = [
            rr_ms[other]
            for other in range(max(0, at - 5), min(len(rr_ms), at + 6))
            if other != at and run[other] == run[at] and 250 <= rr_ms[other] <= 2000
        ]
        is_near = len(around) > 1 and abs(value / statistics.median(around) - 1) <= 0.2
        found.append(250 <= value <= 2000 and is_near)
    return found
