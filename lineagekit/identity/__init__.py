# SPDX-License-Identifier: Apache-2.0
"""What a dataset *is*: digests of files, folders, object stores, records, tables and code.

The only room that decides what a digest is. `fingerprint.py` is its front door.
"""
