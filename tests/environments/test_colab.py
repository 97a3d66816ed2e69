"""Colab, as near as it can be had here: its versions (colab.txt), an empty folder, its widget manager.

What stays different: this machine's Python and torch. Colab's torch is a CUDA build of gigabytes, and
what the package asks of torch is the same in both. Slow, and skipped where pip reaches no index.
"""

import json
import os
import subprocess
import tempfile
import venv
from pathlib import Path

import pytest
from helpers import ROOT, pip

STUDENT = sorted((ROOT / "notebooks").glob("*.ipynb"))
LINES = (Path(__file__).with_name("colab.txt")).read_text(encoding="utf-8").splitlines()
PINS = dict(line.split("==") for line in LINES if not line.startswith("#"))
# What Colab's own start does before the first cell: google.colab is there, and imported.
# It counts on the module: a notebook may use any name of its own.
BEFORE = """\
import sys, types
colab = types.SimpleNamespace(asked=0)
def enable_custom_widget_manager(colab=colab):
    colab.asked += 1
colab.output = types.SimpleNamespace(enable_custom_widget_manager=enable_custom_widget_manager)
sys.modules["google.colab"] = colab
del colab, enable_custom_widget_manager"""
AFTER = """
import importlib.metadata, json, sys
import dcamsr_lite
asked = sys.modules["google.colab"].asked
found = {name: importlib.metadata.version(name) for name in PINS}
print(json.dumps([found, dcamsr_lite.__file__, asked, "jupyterlab" in sys.modules]))"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked, added",
    [(str(ROOT), {"dcamsr-lite", "captum"}), ("ipywidgets>=8", {"ipywidgets", "comm"})],
    ids=["ours", "what would change Colab"],
)
def test_installing_on_colab_adds_the_package_and_captum(asked, added, tmp_path):
    """pip solves in an environment that has Colab's versions, by name; nothing is installed."""
    venv.create(tmp_path / "colab")
    python = tmp_path / "colab" / ("Scripts" if os.name == "nt" else "bin") / "python"
    show = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.check_output([python, "-c", show], text=True).strip())
    for name, version in PINS.items():
        folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (folder / "METADATA").write_text(text)
    report = tmp_path / "report.json"
    pip("install", "--dry-run", "--quiet", f"--report={report}", asked, python=str(python))
    installed = json.loads(report.read_text())["install"]
    names = {one["metadata"]["name"] for one in installed}
    assert names == added if asked == str(ROOT) else added <= names


@pytest.fixture(scope="module")
def libraries():
    """A folder with Colab's libraries, all but torch, and the wheel of this package."""
    with tempfile.TemporaryDirectory() as folder:
        pins = [f"{name}=={version}" for name, version in PINS.items() if name != "torch"]
        pip(
            "install",
            "--quiet",
            "--no-deps",
            "--no-compile",
            f"--target={folder}",
            *pins,
            str(ROOT),
        )
        yield folder


@pytest.mark.slow
@pytest.mark.parametrize("path", STUDENT, ids=lambda path: path.stem)
def test_a_students_notebook_runs_with_colabs_libraries(path, libraries, tmp_path):
    pytest.importorskip("nbclient", reason="nbclient (the extra 'lab') is not installed")
    from kernels import run

    # these libraries come first, and this checkout's package not at all
    after = AFTER.replace("PINS", repr([name for name in PINS if name != "torch"]))
    ran = run(path, tmp_path, BEFORE, after, DCAMSR_FAST="1", PYTHONPATH=libraries)
    found, package, asked, lab = json.loads(ran.printed.splitlines()[-1])
    assert found.items() <= PINS.items() and package.startswith(libraries)
    assert asked and not lab
    assert "ModuleNotFoundError" not in ran.printed
