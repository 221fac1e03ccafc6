"""Experiments: who is served which variant, and what may be said of it.

Entry point: `comparison.compare`.
"""
