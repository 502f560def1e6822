"""Who searches: compiled kernels, or their plain twin. The door is `choose`."""

__all__: list[str] = []
