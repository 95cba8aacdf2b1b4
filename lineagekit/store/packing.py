# SPDX-License-Identifier: Apache-2.0
"""How bytes lie in the file: compressed, and sealed together with what they belong to.

The seal is a CRC-32 over the compressed bytes and whatever names them. It is checked before anything is decompressed,
because a damaged header may ask for any amount of memory.

    >>> unpack(pack(b"body", "name"), "name"), unpack(pack(b"body", "name"), "another")
    (b'body', None)
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from zlib import crc32

import zstandard

_SEAL = 4  # bytes
_MANY = 32  # from here on it pays to set up zstd's own loop


class _Zstd(threading.local):
    """One of each for every thread: they may not be shared, and cost as much to make as a small event to compress."""

    def __init__(self) -> None:
        compressor = zstandard.ZstdCompressor(level=3)
        self.compress = compressor.compress
        self.compress_all = getattr(compressor, "multi_compress_to_buffer", None)  # absent on PyPy
        self.decompress = zstandard.ZstdDecompressor().decompress


_zstd = _Zstd()


def pack(body: bytes, *names: object) -> bytes:
    """Compress and seal."""
    packed = _zstd.compress(body)
    return packed + _seal(packed, names)


def pack_all(bodies: Sequence[bytes], names: Sequence[tuple[object, ...]]) -> list[bytes]:
    """Pack many, each under its names: other threads go on meanwhile, where one after the other would stop them."""
    if _zstd.compress_all is None or len(bodies) < _MANY:
        return [pack(body, *own) for body, own in zip(bodies, names, strict=True)]
    packed = map(bytes, _zstd.compress_all(list(bodies), threads=1))
    return [one + _seal(one, own) for one, own in zip(packed, names, strict=True)]


def unpack(kept: bytes | None, *names: object) -> bytes | None:
    """What was packed under these names; None if a single bit of it is different."""
    if kept is None or kept[-_SEAL:] != _seal(kept[:-_SEAL], names):
        return None
    return _zstd.decompress(kept[:-_SEAL])


def plain(text: str) -> str:
    """The same text, with what UTF-8 cannot hold (half of a surrogate pair) written out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _seal(packed: bytes, names: tuple[object, ...]) -> bytes:
    return crc32(packed, crc32(repr(names).encode())).to_bytes(_SEAL, "little")
