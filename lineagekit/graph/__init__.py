# SPDX-License-Identifier: Apache-2.0
"""The graph from its shape: what came of what, what became of what, and how sure that is."""
