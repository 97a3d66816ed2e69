"""The explorers' modules, and the committed bundles: what they build, and what a page asks of it."""

import re
import shutil
import subprocess

import pytest
from helpers import ROOT

from dcamsr_lite.widgets.shared.static import script

BUNDLES = ROOT / "dcamsr_lite" / "widgets" / "bundles"
NAMES = sorted(path.stem for path in BUNDLES.glob("*.js"))


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_what_the_page_and_the_kernel_share_in_node():
    test = ROOT / "tests" / "js" / "state.test.mjs"
    done = subprocess.run(["node", "--test", test], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_bundles_are_fresh(tmp_path):
    if not shutil.which("node") or not (ROOT / "node_modules" / "esbuild").is_dir():
        pytest.skip("node or esbuild is not here: `make lint` installs it where there is npm")
    subprocess.run(["node", ROOT / "scripts" / "bundles.js", tmp_path], check=True)
    assert sorted(path.stem for path in tmp_path.iterdir()) == NAMES
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (BUNDLES / path.name).read_bytes(), "run `make bundles`"


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_needs_nothing_else_and_fits_into_a_page(name):
    module = script(name)
    assert not re.search(r"^import |</", module, re.MULTILINE)
    # what anywidget takes, and what the last line of a page calls by its name
    assert re.search(r"^export \{\n  \w+ as default,\n  standalone\n\};$", module, re.MULTILINE)
