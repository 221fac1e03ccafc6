"""The HTTP API: reading and sending over `/api/v1`, and events in the ecosystem's form at `/e`.

Entry point: `app.create_app`.
"""
