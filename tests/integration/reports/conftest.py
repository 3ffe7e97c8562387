"""The tests of reports run backups in the vault of the unit tests."""

import sys
from pathlib import Path

for name in ("engine_house", "unit/operations/backups"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / name))
