# SPDX-License-Identifier: Apache-2.0
"""Journals become events in the log, outside the job that wrote them: the way in is `settle.settle`."""
