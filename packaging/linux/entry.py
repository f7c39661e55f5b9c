"""The one executable: window, terminal face and workers."""

import sys

from desktop_rag.__main__ import main

sys.exit(main())
