# SPDX-License-Identifier: Apache-2.0
"""Why is it worse: which builds, is it real, what changed between them, and which of that is the likeliest cause."""
