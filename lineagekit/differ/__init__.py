# SPDX-License-Identifier: Apache-2.0
"""How two differ: files, schema, statistics, rows; of what is on a disk, in a store, or only remembered."""
