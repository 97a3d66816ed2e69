"""The parts of `scripts/gpu.py`. Nothing is installed: the checkout that they lie in is used."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
sys.path += [str(ROOT / "scripts" / "weights"), str(ROOT / "tests")]
