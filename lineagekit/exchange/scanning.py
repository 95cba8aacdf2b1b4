# SPDX-License-Identifier: Apache-2.0
r"""The way to read JSON that is not one object a line: forward through the text, from value to value.

    >>> import io
    >>> [one.value for one in Scanner(io.BytesIO(), b'[{"a": 1},\n {"b": 2}]', 1).values()]
    [{'a': 1}, {'b': 2}]

An array is no value: its elements are. Commas between values are passed over wherever they are, since dumps of lines
often have them. No more is held than one value, and as much again of what follows.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import Protocol

from lineagekit.errors import BadDataError
from lineagekit.store.admit import parse

LONGEST = 64 << 20
"""Characters of one value; what is longer is passed over."""

_PIECE = 1 << 18
_NEAR_END = 12  # characters in which a token can stand that is cut off
_SHOWN, _NEAR = 40, 15
_MOST_AT_ONCE = 16 << 20
_CUT_OFF, _TOO_LONG = "cut off", f"longer than {LONGEST >> 20} MB"

_decode = JSONDecoder().raw_decode
_BLANK = re.compile(r"[\s,\x1e]*", re.ASCII)
_OTHER_LINE = re.compile(r"[^\n]*")
_OTHER_ELEMENT = re.compile(r'(?:"(?:[^"\\\n]|\\.)*"|[^\n,\]{\[])*')
# What tells where a broken value ends: its brackets, or a line that looks like the beginning of the next one.
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}\[\]]|\n(?=[{\[])')

_DEPTH = {"{": 1, "[": 1, "}": -1, "]": -1}


@dataclass(frozen=True, slots=True)
class Found:
    """A value, the bytes to keep for it and the line where it begins; or, with a reason, something that is none."""

    line: int
    raw: bytes = b""
    value: object = None
    reason: str = ""


class Source(Protocol):
    """Where more comes from."""

    def read(self, size: int, /) -> bytes:
        """So many bytes, fewer only at the end."""

    def readline(self, size: int, /) -> bytes:
        """The rest of a line, or so many bytes of it."""


class Scanner:
    """Reads on until a value ends together with its line; `line` is then the number of the next one."""

    def __init__(self, source: Source, first: bytes, line: int) -> None:
        """Begin with what was read already, in this line."""
        self.line = line
        self._source = source
        # Bytes that are no UTF-8 stay what they are until it is known to which value they belong.
        self._to_text = getincrementaldecoder("utf-8")("surrogateescape").decode
        self._text, self._at, self._ended = self._to_text(first), 0, False
        self._array = 0  # the line where it began

    def values(self) -> Iterator[Found]:
        """All of them."""
        while self._find_something():
            character = self._text[self._at]
            if character == "[" and not self._array:
                self._array = self.line
                self._go(self._at + 1)
            elif character == "]" and self._array:
                self._array = 0
                self._go(self._at + 1)
            elif character in "{[":
                yield self._value()
            else:
                yield self._other()
        if self._array:
            yield Found(self.line, reason=f"the array that begins in line {self._array} is cut off: expected ]")

    def _find_something(self) -> bool:
        """Go to the next character that means something; False at the end of all, or of the line of a last value."""
        while True:
            self._pass(_BLANK)
            if self._at < len(self._text):
                return True
            if (self._text.endswith("\n") and not self._array) or not self._more():
                return False

    def _value(self) -> Found:
        line = self.line
        while True:
            try:
                _, end = _decode(self._text, self._at)
            except JSONDecodeError as error:
                if self._may_go_on(error):
                    continue
                reason = self._why(error)
            except RecursionError:
                reason = "not an OpenLineage event: it is nested too deep"
            except ValueError as error:  # a number of thousands of digits
                reason = f"no JSON: {str(error).partition(';')[0]}"
            else:
                return self._take(end)
            if not self._pass_over() and not reason.startswith(_CUT_OFF):
                reason += "; what follows cannot be told from it"
            return Found(line, reason=reason)

    def _take(self, end: int) -> Found:
        line, length = self.line, end - self._at
        raw = self._text[self._at : end].encode("utf-8", "surrogateescape") if length <= LONGEST else b""
        self._go(end)
        return found_in(raw, line) if raw else Found(line, reason=_TOO_LONG)

    def _may_go_on(self, error: JSONDecodeError) -> bool:
        """Whether there is only too little of it, and now more."""
        too_long = len(self._text) - self._at > LONGEST
        return not too_long and self._breaks_off(error) and self._more()

    def _breaks_off(self, error: JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _NEAR_END

    def _why(self, error: JSONDecodeError) -> str:
        if self._text.startswith(("\n", "\r"), error.pos):
            return f"{_CUT_OFF}: the line ends inside a text"
        if self._breaks_off(error):
            return f"{_CUT_OFF}: the end comes before that of the object" if self._ended else _TOO_LONG
        line = self.line + self._text.count("\n", self._at, error.pos)
        where = f" in line {line}" if line > self.line else ""
        near = self._text[max(self._at, error.pos - _NEAR) : error.pos + _NEAR]
        return f"no JSON: {error.msg.removesuffix(' at')}{where}, near {near!a}"

    def _pass_over(self) -> bool:
        """Go behind a broken value; False where its end is that of all."""
        depth = 0
        while True:
            token = _TOKEN.search(self._text, self._at)
            if token is None and not self._more():
                self._go(len(self._text))
                self._array = 0
                return False
            if token is not None:
                self._go(token.end())
                depth += _DEPTH.get(token[0], 0)
                if token[0] == "\n" or depth <= 0:
                    return True

    def _other(self) -> Found:
        """Something that is no value: the rest of its line, or of its place in the array."""
        line = self.line
        pattern = _OTHER_ELEMENT if self._array else _OTHER_LINE
        shown = self._pass(pattern)[:_SHOWN]
        while self._at == len(self._text) and self._more():
            self._pass(pattern)
        return Found(line, reason=f"not a JSON object: {shown.strip()!a}")

    def _pass(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        told = found[0] if found else ""
        self._go(self._at + len(told))
        return told

    def _go(self, to: int) -> None:
        self.line += self._text.count("\n", self._at, to)
        self._at = to

    def _more(self) -> bool:
        """Read about as much again as is held; False at the end."""
        if self._ended:
            return False
        size = min(max(_PIECE, len(self._text) - self._at), _MOST_AT_ONCE)
        data = self._source.read(size)
        if data and not data.endswith(b"\n"):
            data += self._source.readline(size)
        self._ended = not data
        self._text = self._text[self._at :] + self._to_text(data, final=self._ended)
        self._at = 0
        return True


def found_in(raw: bytes, line: int) -> Found:
    """The value that these bytes are, or why they are none."""
    try:
        value, kept = parse(raw)
    except BadDataError as error:
        return Found(line, reason=error.message)
    return Found(line, kept, value)
