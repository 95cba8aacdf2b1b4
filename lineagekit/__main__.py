# SPDX-License-Identifier: Apache-2.0
"""`python -m lineagekit`: the command line, where its script is not on the path."""

import sys

from lineagekit.agent.main import main

if __name__ == "__main__":
    sys.exit(main())
