# SPDX-License-Identifier: Apache-2.0
"""Claim: a folder of 1,000,000 small files in less than 300 MB of memory.

The peak of this process and, apart, of its helper processes. The folder takes 4 GB of a disk, a minute to make, and
is left for the next time.
"""

from __future__ import annotations

import resource
import time

from many_files import tree

from lineagekit.config import Config
from lineagekit.identity.hashing import Hashing
from lineagekit.identity.trees import hash_tree

FILES = 1_000_000


def main() -> None:
    """Hash once and ask the kernel."""
    root = tree("million", FILES, 16)
    began = time.perf_counter()
    manifest = hash_tree(root, Hashing(threads=Config.from_environment().threads))
    digest, seconds = manifest.digest, time.perf_counter() - began
    ours, helpers = (
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"{len(manifest):,} files: {digest}")
    print(f"  {seconds:.1f} s   {ours:.0f} MB   target < 300 MB   (a helper process: {helpers:.0f} MB)")


if __name__ == "__main__":
    main()
