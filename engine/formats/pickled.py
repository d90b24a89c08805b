"""A pickle read as data: nothing is imported, nothing is called, no code of it runs.

Lists, tuples, dicts, numbers and texts come out as they are. What Python would look up by name is a
`Name`; what it would make by calling something is a `Made`, which keeps the arguments and the state;
what the writer stored elsewhere is a `Reference`. Protocols 0 to 5 are read. Source: Python's
`pickletools`, which documents every opcode.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from initlab.engine.errors import FormatError

MOST_TEXT = 64
"""Characters of a name that a message shows."""
LONGEST_NUMBER = 64
"""Bytes or digits of a whole number."""
LONGEST_LINE = 4096
ROOM = 32 << 20
"""Bytes that the objects of any pickle may take in memory, beyond twice the file."""
CONTAINER, PLAIN = 96, 48
"""Bytes that an object takes, about."""
DICTS = {"collections.OrderedDict", "collections.defaultdict", "builtins.dict", "__builtin__.dict"}
SIMPLE = (str, int, float, bool, bytes, type(None))


@dataclass(frozen=True, eq=False)
class Name:
    """A class or function that is named and not looked up: `module.name`."""

    text: str


@dataclass(eq=False)
class Made:
    """What calling `name` with `arguments` would have made. `state` is what it would have been
    restored from, `items` the content of one that is a dict, `elements` of one that is a list.
    """

    name: str
    arguments: tuple[Any, ...] = ()
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)
    elements: list[Any] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Reference:
    """Something stored outside the pickle, by the key that its writer gave it."""

    key: Any


class _Mark:
    """Where the arguments of an opcode begin on the stack."""


MARK: Final = _Mark()


def damaged(said: str) -> NoReturn:
    """Raise FormatError for a pickle that nobody wrote so."""
    raise FormatError(f"is damaged: its pickle {said}")


class Machine:
    """Interprets the pickle at byte `at` of `data`. `room` is the memory, in bytes, that its objects
    may take; `at` is behind the pickle afterwards.
    """

    def __init__(self, data: memoryview, at: int = 0, room: int = ROOM) -> None:
        self.data, self.at, self.room = data, at, room
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Return the object. Raises FormatError if the bytes are no pickle, are cut short, or would
        make more objects than there is room for.
        """
        while True:
            (op,) = self.read(1)
            if op == ord("."):
                return self.pop()
            if op not in OPCODES:
                damaged(f"has the opcode {bytes([op])!r}, which no tensor needs")
            try:
                OPCODES[op](self)
            except (ValueError, OverflowError) as error:
                damaged(f"has {str(error)[:MOST_TEXT]!r}")

    def read(self, count: int) -> bytes:
        """Return the next bytes."""
        if count < 0 or count > len(self.data) - self.at:
            damaged("ends too early")
        self.at += count
        return bytes(self.data[self.at - count : self.at])

    def number(self, layout: str) -> int:
        """Return the next whole number."""
        found: int = struct.unpack(layout, self.read(struct.calcsize(layout)))[0]
        return found

    def line(self) -> str:
        """Return the text up to the next newline."""
        rest = bytes(self.data[self.at : self.at + LONGEST_LINE])
        length = rest.find(b"\n")
        if length < 0:
            damaged("has a line without an end")
        self.at += length + 1
        return rest[:length].decode("utf-8")

    def push(self, value: Any, cost: int = PLAIN) -> None:
        """Put a value onto the stack."""
        self.room -= cost
        if self.room < 0:
            damaged("makes more objects than a file of its size needs")
        self.stack.append(value)

    def pop(self) -> Any:
        """Take a value from the stack."""
        if not self.stack or self.stack[-1] is MARK:
            damaged("takes a value where there is none")
        return self.stack.pop()

    def top(self) -> Any:
        """Return the value on the top of the stack."""
        if not self.stack or self.stack[-1] is MARK:
            damaged("takes a value where there is none")
        return self.stack[-1]

    def marked(self) -> list[Any]:
        """Take everything above the last mark, and the mark."""
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is MARK:
                found = self.stack[place + 1 :]
                del self.stack[place:]
                return found
        damaged("has no mark where one is needed")

    def remember(self, place: int) -> None:
        """Keep the top of the stack under a number."""
        self.room -= PLAIN
        self.memo[place] = self.top()

    def recall(self, place: int) -> None:
        """Put what was kept onto the stack."""
        if place not in self.memo:
            damaged("takes up something that it did not lay down")
        self.push(self.memo[place], 8)

    def text(self, raw: bytes, encoding: str = "utf-8") -> None:
        """Put a text onto the stack."""
        errors = "surrogatepass" if encoding == "utf-8" else "strict"
        self.push(raw.decode(encoding, errors), PLAIN + len(raw))

    def blob(self, layout: str) -> None:
        """Put bytes, after their number, onto the stack."""
        raw = self.read(self.number(layout))
        self.push(raw, PLAIN + len(raw))

    def discard(self) -> None:
        """Take a value or a mark from the stack."""
        if not self.stack:
            damaged("takes a value where there is none")
        self.stack.pop()

    def dict_of_marked(self) -> None:
        """Put the keys and values above the last mark together."""
        pairs = self.marked()
        self.push({}, CONTAINER)
        self.store(pairs)

    def whole(self, digits: str) -> int:
        """Return a whole number written in digits."""
        if len(digits) > LONGEST_NUMBER:
            damaged("has a number that is too long")
        return int(digits)

    def long(self, count: int) -> None:
        """Put a whole number of `count` bytes onto the stack."""
        if count > LONGEST_NUMBER:
            damaged("has a number that is too long")
        self.push(int.from_bytes(self.read(count), "little", signed=True))

    def store(self, pairs: list[Any]) -> None:
        """Put keys and values into the dict on the top of the stack."""
        if len(pairs) % 2:
            damaged("has a key without a value")
        target = self.top()
        into = target.items if isinstance(target, Made) else target
        if not isinstance(into, dict):
            damaged("puts items into what is no dict")
        self.room -= PLAIN * len(pairs)
        into.update(zip(map(_key, pairs[::2]), pairs[1::2], strict=True))

    def extend(self, values: list[Any]) -> None:
        """Append to the list on the top of the stack."""
        target = self.top()
        into = target.elements if isinstance(target, Made) else target
        if not isinstance(into, list):
            damaged("appends to what is no list")
        self.room -= 8 * len(values)
        into.extend(values)

    def make(self, called: Any, arguments: Any) -> None:
        """Put what a call would have made onto the stack: a dict, or a `Made`."""
        name = called.text if isinstance(called, Name) else "something"
        given = arguments if isinstance(arguments, tuple) else ()
        if name not in DICTS:
            return self.push(Made(name, given), 4 * CONTAINER)
        self.push({}, CONTAINER)
        pairs = given[0] if given and isinstance(given[0], list) else []
        if all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
            self.store([part for pair in pairs for part in pair])
        return None

    def restore(self) -> None:
        """Give the object on the top of the stack its state."""
        state, target = self.pop(), self.top()
        if isinstance(target, Made):
            target.state = state

    def protocol(self) -> None:
        """Check the protocol's number."""
        if self.read(1)[0] > 5:
            damaged("is of a protocol newer than 5")

    def tuple_of(self, count: int) -> None:
        """Put the last `count` values together."""
        found = tuple(self.pop() for _ in range(count))[::-1]
        self.push(found, CONTAINER)

    def call_with_names(self) -> None:
        """Make an object from a class, arguments, and arguments by name."""
        self.pop()
        arguments = self.pop()
        self.make(self.pop(), arguments)

    def call(self) -> None:
        """Make an object from a function or class and its arguments."""
        arguments = self.pop()
        self.make(self.pop(), arguments)

    def call_class(self) -> None:
        """Make an object from a class and arguments above the last mark."""
        called, *arguments = self.marked() or [None]
        self.make(called, tuple(arguments))

    def instance(self) -> None:
        """Make an object of a class that is named here, from arguments above the last mark."""
        name = Name(f"{self.line()}.{self.line()}")
        self.make(name, tuple(self.marked()))

    def stacked_name(self) -> None:
        """Put a name whose parts are on the stack onto it."""
        name, module = self.pop(), self.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            damaged("has a name that is no text")
        self.push(Name(f"{module}.{name}"), CONTAINER + len(module) + len(name))

    def old_integer(self) -> None:
        """Put a whole number or a truth value written as text onto the stack."""
        found = self.line()
        self.push(
            {"00": False, "01": True}.get(found) if found in ("00", "01") else self.whole(found)
        )


def _key(value: Any) -> Any:
    """Return a key of a dict. Raises FormatError if it cannot be one."""
    parts = value if isinstance(value, tuple) else (value,)
    if not all(isinstance(part, (*SIMPLE, Name, Made)) for part in parts):
        damaged("has a dict with a key that is neither text nor number")
    # Whole numbers beyond 61 bits could be chosen to have one hash, which makes a dict slow.
    if any(isinstance(part, int) and abs(part) >> 60 for part in parts):
        damaged("has a dict with a key that is a huge number")
    return value


def _pushed(value: Any) -> Callable[[Machine], None]:
    return lambda m: m.push(value)


_ACTIONS: dict[str | int, Callable[[Machine], Any]] = {
    # values
    "N": _pushed(None), 0x88: _pushed(True), 0x89: _pushed(False),
    "I": Machine.old_integer,
    "L": lambda m: m.push(m.whole(m.line().rstrip("L"))),
    "K": lambda m: m.push(m.number("<B")),
    "M": lambda m: m.push(m.number("<H")),
    "J": lambda m: m.push(m.number("<i")),
    0x8A: lambda m: m.long(m.number("<B")),
    0x8B: lambda m: m.long(m.number("<I")),
    "F": lambda m: m.push(float(m.line())),
    "G": lambda m: m.push(struct.unpack(">d", m.read(8))[0]),
    # texts and bytes
    "X": lambda m: m.text(m.read(m.number("<I"))),
    0x8C: lambda m: m.text(m.read(m.number("<B"))),
    0x8D: lambda m: m.text(m.read(m.number("<Q"))),
    "V": lambda m: m.text(m.line().encode("utf-8", "surrogatepass")),
    "S": lambda m: m.text(m.line().strip("'\"").encode("utf-8", "surrogatepass")),
    "U": lambda m: m.text(m.read(m.number("<B")), "latin-1"),
    "T": lambda m: m.text(m.read(m.number("<I")), "latin-1"),
    "C": lambda m: m.blob("<B"), "B": lambda m: m.blob("<I"),
    0x8E: lambda m: m.blob("<Q"), 0x96: lambda m: m.blob("<Q"),
    # containers
    "(": lambda m: m.push(MARK, 8),
    "0": Machine.discard,
    "1": Machine.marked,
    "2": lambda m: m.push(m.top(), 8),
    ")": _pushed(()),
    "t": lambda m: m.push(tuple(m.marked()), CONTAINER),
    0x85: lambda m: m.tuple_of(1), 0x86: lambda m: m.tuple_of(2), 0x87: lambda m: m.tuple_of(3),
    "]": lambda m: m.push([], CONTAINER),
    "l": lambda m: m.push(m.marked(), CONTAINER),
    "}": lambda m: m.push({}, CONTAINER),
    "d": Machine.dict_of_marked,
    "a": lambda m: m.extend([m.pop()]),
    "e": lambda m: m.extend(m.marked()),
    "s": lambda m: m.store([m.pop(), m.pop()][::-1]),
    "u": lambda m: m.store(m.marked()),
    0x8F: lambda m: m.push(Made("builtins.set"), 4 * CONTAINER),
    0x90: Machine.marked,
    0x91: lambda m: m.make(Name("builtins.frozenset"), (m.marked(),)),
    # names and calls
    "c": lambda m: m.push(Name(f"{m.line()}.{m.line()}"), CONTAINER),
    0x93: Machine.stacked_name,
    "R": Machine.call, 0x81: Machine.call, 0x92: Machine.call_with_names,
    "o": Machine.call_class, "i": Machine.instance, "b": Machine.restore,
    "Q": lambda m: m.push(Reference(m.pop()), CONTAINER),
    "P": lambda m: m.push(Reference(m.line()), CONTAINER),
    # memory of what was seen
    "p": lambda m: m.remember(m.whole(m.line())),
    "q": lambda m: m.remember(m.number("<B")),
    "r": lambda m: m.remember(m.number("<I")),
    0x94: lambda m: m.remember(len(m.memo)),
    "g": lambda m: m.recall(m.whole(m.line())),
    "h": lambda m: m.recall(m.number("<B")),
    "j": lambda m: m.recall(m.number("<I")),
    # framing
    0x80: Machine.protocol,
    0x95: lambda m: m.read(8),
}  # fmt: skip
OPCODES = {ord(code) if isinstance(code, str) else code: do for code, do in _ACTIONS.items()}
"""What each opcode does; the others are refused."""
