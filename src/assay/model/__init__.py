"""Frozen records, no I/O: what the other rooms hand each other."""
