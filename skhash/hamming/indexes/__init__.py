"""Ways to search that look at fewer codes than there are, or on another device."""

__all__: list[str] = []
