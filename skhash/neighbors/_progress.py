"""What a long build tells who waits for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import perf_counter

# Seconds after which a build is long, and between its messages.
INTERVAL = 5.0


@contextmanager
def announced(n_codes: int, verbose: int) -> Iterator[None]:
    """Print how long a block takes, every few seconds and at its end.

    A block that is done before the first message says nothing.
    """
    if not verbose:
        yield
        return
    start, done = perf_counter(), Event()

    def tell() -> None:
        while not done.wait(INTERVAL):
            seconds = perf_counter() - start
            print(
                f"[HammingNeighbors] building an index of {n_codes} codes: "
                f"{seconds:.0f} s",
                flush=True,
            )

    teller = Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()
    seconds = perf_counter() - start
    if seconds >= INTERVAL:
        print(f"[HammingNeighbors] built in {seconds:.1f} s", flush=True)
