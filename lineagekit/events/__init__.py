# SPDX-License-Identifier: Apache-2.0
"""What was said: a run told in full, as OpenLineage events, and events of others read at one border."""
