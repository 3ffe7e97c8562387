"""The tests of schedules share a small controller."""

import sys
from pathlib import Path

for name in ("schedule_house", "engine_house"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / name))
