# SPDX-License-Identifier: Apache-2.0
"""What lives inside the user's process: standard library only, Python 3.9, never raises, never waits."""
