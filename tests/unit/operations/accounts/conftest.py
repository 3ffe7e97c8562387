"""Makes `desk` importable by the tests of operations on accounts."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
