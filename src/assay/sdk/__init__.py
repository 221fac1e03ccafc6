"""What user code imports: clients, durable functions, and the context that their bodies get.

`port` is the line between a body and the engine; `definitions.FunctionDefinition` is what the
engine runs. Nothing here touches a database: outside runs a client speaks HTTP (`http`).
"""
