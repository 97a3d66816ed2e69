"""``python -m dcamsr_lite`` is ``dcamsr``."""

import sys

from .cli import main

sys.exit(main())
