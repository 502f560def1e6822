"""How a training ends early: a callback asks for it, or Ctrl-C cuts it short."""

from __future__ import annotations

import dis
import signal
from types import CodeType
from typing import Any

_RAISE = dis.opmap["RAISE_VARARGS"]


class StopTraining(Exception):
    """Ends a training in good order: what has been learnt so far is kept."""


def is_request(error: KeyboardInterrupt) -> bool:
    """Whether a ``raise`` made it, skorch's way for callbacks to stop, and no signal.

    A signal may arrive at any place of any code, a callback's too, but it is never a
    ``raise`` statement that it interrupts; the handler of the signal may contain one.
    """
    codes: list[CodeType] = []
    instruction, trace = None, error.__traceback__
    while trace is not None:
        codes.append(trace.tb_frame.f_code)
        instruction = codes[-1].co_code[trace.tb_lasti : trace.tb_lasti + 1]
        trace = trace.tb_next
    return instruction == bytes([_RAISE]) and _handler() not in codes


def _handler() -> Any:
    """Code of Python's handler of Ctrl-C, or None."""
    handler: Any = signal.getsignal(signal.SIGINT)
    while hasattr(handler, "func"):  # a functools.partial, as asyncio's
        handler = handler.func
    return getattr(handler, "__code__", None)  # of a bound method, too
