"""Starts the run: `python3 -m mirror`. mirror.yml calls `main.main` itself."""

import sys

from .main import main

sys.exit(main())
