# SPDX-License-Identifier: Apache-2.0
"""What is kept: the log of events, and beside it what was learned later and what was delivered where.

`log.py` is the front door. Everything lies in one SQLite file that many processes share.
"""
