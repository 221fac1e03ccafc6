"""Estimates with honest intervals: pure functions on numpy and scipy.special.

`intervals` gives a mean, a proportion or a difference of two arms as an `Estimate`, from values
that stand alone or in clusters (`clusters`); `repeats` gives pass@k and pass^k of repeated tasks.
What can't be said is None with a reason, never 0.
"""
