"""A cluster of two processes for the tests that need one."""

import contextlib

import pytest


@pytest.fixture(scope="session")
def session_client():
    """A client of two workers of one thread each, which start anew when killed.

    It is nobody's default, so that tests without a cluster run in their process.
    """
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            memory_limit=0,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def client(session_client):
    """The client, once workers that a former test has killed are there again.

    A nanny that fails to start its worker anew gives up; the cluster has others then.
    """
    for _ in range(12):
        session_client.cluster.scale(2)
        with contextlib.suppress(TimeoutError):
            session_client.wait_for_workers(2, timeout=5)
            break
    else:
        raise AssertionError("The cluster of the tests has no two workers any more.")
    with session_client.as_current():
        yield session_client
