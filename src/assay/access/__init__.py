"""Who asks: API keys, the project that a key stands for, and where a server may listen.

Entry points: `keys.create`, `principals.identify`, `binding.needs_keys`.
"""
