"""The durable core: events in, runs claimed, bodies replayed, memos committed."""
