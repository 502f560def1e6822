"""A lock of skhash is free in a child process, whoever held it at the fork."""

import multiprocessing
import os
import threading

import pytest

from skhash.locks import ForkedLock


def test_lock_keeps_others_out_and_lets_its_thread_in_again():
    lock, order = ForkedLock(), []

    def other():
        with lock.held():
            order.append("other")

    with lock.held():
        thread = threading.Thread(target=other)
        thread.start()
        with lock.held():
            order.append("inner")
        thread.join(0.2)
        assert thread.is_alive()
        order.append("outer")
    thread.join()
    assert order == ["inner", "outer", "other"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_lock_is_free_in_a_forked_child():
    lock, held, leave = ForkedLock(), threading.Event(), threading.Event()

    def hold():
        with lock.held():
            held.set()
            leave.wait()

    def take():
        with lock.held():
            os._exit(7)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    try:
        child = multiprocessing.get_context("fork").Process(target=take)
        child.start()
        child.join(30)
        code = child.exitcode
        child.kill()
    finally:
        leave.set()
        holder.join()
    assert code == 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_child_leaves_the_block_that_its_parent_entered():
    lock = ForkedLock()
    pid = None
    try:
        with lock.held():
            pid = os.fork()
        if pid == 0:
            with lock.held():
                os._exit(7)
    finally:
        if pid == 0:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
