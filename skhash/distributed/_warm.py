"""Workers load the kernels and know what shards weigh before their first task."""

import asyncio
import getpass
import tempfile
from pathlib import Path

from skhash.distributed._sizes import tell_sizes
from skhash.hamming import warm_up

_NAME = "skhash-kernels"


def warm_workers(client):
    """Let all workers of a cluster, later ones too, be ready for shards."""
    if getattr(client, "_skhash_warm", False):
        return
    from distributed import WorkerPlugin

    class Kernels(WorkerPlugin):
        """Warms a worker up, while it goes on answering its scheduler."""

        name = _NAME

        async def setup(self, worker):
            tell_sizes()
            await asyncio.to_thread(warm_in_turn)

    for last in (False, False, True):
        try:
            client.register_plugin(Kernels())
            break
        except OSError:  # a worker was lost meanwhile; the others are asked again
            if last or client.status != "running":
                raise
    client._skhash_warm = True


def warm_in_turn():
    """Warm up, one process of a machine at a time.

    Two processes that save the same kernel at once may spoil the cache of kernels.
    """
    import locket  # comes with distributed

    path = Path(tempfile.gettempdir()) / f"{_NAME}-{getpass.getuser()}.lock"
    with locket.lock_file(str(path)):
        warm_up(indexes=True)
