# SPDX-License-Identifier: Apache-2.0
"""Delivery: what the log holds goes out to every destination, each event until it is accepted or refused."""
