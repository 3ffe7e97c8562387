"""Fixtures shared by all tests: each `fix_*.py` beside this file is a plugin of its own, and so is `lanes.py`."""

import sys
from pathlib import Path

import hypothesis

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
pytest_plugins = [*sorted(path.stem for path in HERE.glob("fix_*.py")), "lanes"]

# How long an example takes says nothing on a shared machine.
hypothesis.settings.register_profile("dsi", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("dsi")
