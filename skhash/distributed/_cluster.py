"""Work handed to dask: on a cluster, or in this process where there is none."""

from concurrent.futures import CancelledError
from importlib import import_module

from skhash.distributed.errors import ChunkError, ClusterClosed

# Seconds between two looks at whether the cluster is still there.
GLANCE = 1.0


def dask_module(name="dask"):
    """A module of dask, or an error that says how to get it."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f"skhash.distributed works on dask, of which {error.name} is missing: "
            "pip install 'skhash[dask]'."
        ) from error


class Cluster:
    """The cluster that is there now; dask's scheduler of this process if none is.

    What is kept on a cluster is asked for there, whichever is the current one later.
    """

    def __init__(self):
        self.dask, self.client = dask_module(), current_client()
        if self.client is not None:
            from skhash.distributed._warm import warm_workers

            warm_workers(self.client)

    def persist(self, tasks):
        """Start tasks, and keep their results where they are computed."""
        self.check_open()
        if self.client is None:
            return list(self.dask.persist(*tasks))
        return self.client.persist(tasks)

    def compute(self, tasks):
        """The results of tasks."""
        self.check_open()
        if self.client is None:
            return list(self.dask.compute(*tasks))
        try:
            return self._gathered(self.client.compute(tasks))
        except CancelledError as error:
            self.check_open(error)
            raise

    def _gathered(self, futures):
        from distributed import wait

        while True:
            try:
                wait(futures, timeout=GLANCE)
                return self.client.gather(futures)
            except TimeoutError:
                self.check_open()

    def check_open(self, cause=None):
        """Raise unless the cluster still works."""
        if self.client is not None and self.client.status != "running":
            raise ClusterClosed(
                "The dask cluster is closed, and what lay on its workers with it: "
                "start another, make a Client of it, and fit anew."
            ) from cause

    def chunk_error(self, error, chunks, names):
        """An error that names the first chunk that failed, and its worker.

        The error itself where no chunk is to blame.
        """
        if isinstance(error, ChunkError | ClusterClosed):
            return error
        for chunk, name in zip(chunks, names, strict=True):
            cause, where = self._failure(chunk)
            if cause is not None:
                said = f"{type(cause).__name__}: {cause}"
                found = ChunkError(f"{name} failed {where}: {said}")
                found.__cause__ = cause
                return found
        return error

    def _failure(self, chunk):
        """The exception of a chunk, if it has one, and where it was raised."""
        if self.client is None:
            try:
                self.dask.compute(chunk)
            except Exception as error:
                return error, "in this process"
            return None, ""
        from distributed import futures_of

        for future in futures_of(chunk):
            if future.status == "error":
                workers = self.client.run_on_scheduler(_erred_on, key=future.key)
                return future.exception(), f"on {' and '.join(workers) or 'a worker'}"
        return None, ""

    def places(self, chunks):
        """Names of the workers on which each chunk lies; none in this process."""
        if self.client is None:
            return [[] for _ in chunks]
        from distributed import futures_of

        futures = [futures_of(chunk) for chunk in chunks]
        where = self.client.who_has([each for some in futures for each in some])
        return [[w for each in some for w in where[each.key]] for some in futures]


def place():
    """Where a task runs, in words."""
    try:
        from distributed import get_worker

        return f"on {get_worker().address}"
    except (ImportError, ValueError):
        return "in this process"


def current_client():
    """The client of the cluster in use, or None."""
    try:
        from distributed import default_client
    except ImportError:
        return None
    try:
        client = default_client()
    except ValueError:
        return None
    return None if client.asynchronous else client


def _erred_on(key, dask_scheduler):
    """Workers that a task failed on, or those of the task that it is owed to."""
    task = dask_scheduler.tasks.get(key)
    if task is None:
        return []
    return sorted((task.exception_blame or task).erred_on or task.erred_on or [])
