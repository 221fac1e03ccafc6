"""Scores given from outside a run: checked, given a target, recorded; and rolled up over sessions.

Entry points: `recording.record`, `rollups.of_session`.
"""
