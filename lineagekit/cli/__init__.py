# SPDX-License-Identifier: Apache-2.0
"""The front door: one file a command, each a frozen dataclass whose fields are its options and whose `run` answers."""
