"""A check of the opcodes of a pickle before any of them is run.

A pickle of a few bytes can keep an unpickler busy forever, or ask it for gigabytes. Two
things do so while it is read, and are found here without building anything: places of
its memo far beyond what it remembers, and tuples as keys, which are hashed item by
item, however often they contain one another. Everything else is read in a time that
grows with the file's size.
"""

import pickletools
from typing import Any


class UnsafePickleError(ValueError):
    """A pickle asked for something other than arrays and plain containers."""


_PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}
# The opcode, and the frame's length in eight bytes.
_FRAME_HEADER = 9
# These change the value below their arguments, and leave it where it is.
_UPDATES = {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"}
# Where the keys are among the arguments.
_KEYS = {
    "SETITEM": slice(0, 1),
    "SETITEMS": slice(None, None, 2),
    "DICT": slice(None, None, 2),
    "ADDITEMS": slice(None),
    "FROZENSET": slice(None),
}


def check_opcodes(content: bytes) -> None:
    """Refuse a pickle that is incomplete, or takes time or memory without bound."""
    stack = _Stack()
    memo: dict[int, bool] = {}
    frame_end = 0
    for n_before, (opcode, argument, start) in enumerate(pickletools.genops(content)):
        name = opcode.name
        frame_end = _frame_end(name, argument, start or 0, frame_end)
        if name in _PUTS or name == "MEMOIZE":
            place = len(memo) if argument is None else argument
            if not 0 <= place <= n_before:
                raise UnsafePickleError(f"it writes to place {place} of its memo")
            memo[place] = stack.top()
        elif name in _GETS:
            if argument not in memo:
                raise ValueError(f"it has nothing in place {argument} of its memo")
            stack.is_tuple.append(memo[argument])
        elif name == "DUP":
            stack.is_tuple.append(stack.top())
        elif name == "MARK":
            stack.marks.append(len(stack.is_tuple))
        elif name == "POP" and stack.is_at_mark():
            stack.marks.pop()
        else:
            _apply(opcode, stack)


def _frame_end(name: str, argument: Any, start: int, end: int) -> int:
    """Where the frame of the opcode at `start` ends, or where the last one did.

    CPython miscounts references to a bytearray inside which its frame ends.
    """
    if 0 < end < start:
        raise UnsafePickleError("a frame ends within a value")
    if name == "FRAME" and start < end:
        raise UnsafePickleError("a frame begins within another")
    if name == "FRAME":
        return start + _FRAME_HEADER + int(argument)
    return 0 if start == end else end


class _Stack:
    """What an unpickler's stack would hold, told apart only into tuples and others."""

    def __init__(self) -> None:
        self.is_tuple: list[bool] = []
        self.marks: list[int] = []

    def is_at_mark(self) -> bool:
        return self.marks[-1:] == [len(self.is_tuple)]

    def top(self) -> bool:
        self._require(1)
        return self.is_tuple[-1]

    def pop(self, count: int) -> list[bool]:
        self._require(count)
        return self._cut(len(self.is_tuple) - count)

    def pop_to_mark(self) -> list[bool]:
        if not self.marks:
            raise ValueError("it takes what stands after a mark, and there is no mark")
        return self._cut(self.marks.pop())

    def _require(self, count: int) -> None:
        bottom = self.marks[-1] if self.marks else 0
        if len(self.is_tuple) - count < bottom:
            raise ValueError("it takes more from its stack than is there")

    def _cut(self, start: int) -> list[bool]:
        popped = self.is_tuple[start:]
        del self.is_tuple[start:]
        return popped


def _apply(opcode: pickletools.OpcodeInfo, stack: _Stack) -> None:
    is_update = opcode.name in _UPDATES
    if pickletools.markobject in opcode.stack_before:
        arguments = stack.pop_to_mark()
    else:
        arguments = stack.pop(len(opcode.stack_before) - is_update)
    if opcode.name in _KEYS and any(arguments[_KEYS[opcode.name]]):
        raise UnsafePickleError("it has a tuple for a key")
    if is_update:
        stack.top()
    else:
        stack.is_tuple += [kind.name == "tuple" for kind in opcode.stack_after]
