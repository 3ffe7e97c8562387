"""Makes `nethouse` and the engine's `house` importable by the tests of operations on routers."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "engine_house"))
