"""Threads: how many a call may use (`count`), and who runs its tasks (`pool`)."""

__all__: list[str] = []
