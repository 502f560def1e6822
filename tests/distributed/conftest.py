"""A cluster of two processes for the tests that need one."""

import pytest


@pytest.fixture(scope="module")
def client():
    """A client of two workers of one thread each, which start anew when killed."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            memory_limit=0,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client
