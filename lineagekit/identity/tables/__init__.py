# SPDX-License-Identifier: Apache-2.0
"""The table digests `lkt1`, `lks1` and `lkm1`: one walk from values to a name.

    source ──> layout ──> cells ──> engine ──> states ──> digest
    batches    which      Arrow to  BLAKE3     sums and   all of it,
               bits       words     per row    leaves     on threads

The digest is defined on *values*, never on how they are stored: chunks, codecs, row groups, dictionaries and
page versions cannot change it. docs: README, "What a table digest is".
"""
