"""Durable agent runs, scored now and later."""
