# SPDX-License-Identifier: Apache-2.0
"""Fault injection on real runs: is what was done to a pipeline the first suspect?

    python -m benchmarks.faults --shape linear --cases 5

A case is a pipeline that is built day by day, recorded by the real agent, one process a job; on one day one thing goes
wrong, and harmless things happen on this and other days. `lineagekit blame` is asked, and so are three simple rules.
What is simulated is the calendar: builds follow one another within a second, and in what was recorded the clock is
stretched so that they are a day apart.
"""
