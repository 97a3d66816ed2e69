"""Binder: what repo2docker reads off the checkout, and what the scripts do. No image is built."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from helpers import ROOT

BINDER = ROOT / "binder"


def test_binder_has_what_it_needs_and_nothing_that_hides_it():
    assert sorted(path.name for path in BINDER.iterdir()) == [
        "environment.yml",
        "postBuild",
        "start",
    ]
    environment = (BINDER / "environment.yml").read_text(encoding="utf-8")
    # 2 GB at most: no CUDA; anywidget brings its own JavaScript, so no extension is built
    assert "- pytorch-cpu>=" in environment and "cuda" not in environment
    assert "- jupyterlab>=" in environment and "- anywidget>=" in environment
    assert "extension" not in (BINDER / "postBuild").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="bash scripts")
def test_start_passes_its_arguments_on():
    show = [
        BINDER / "start",
        sys.executable,
        "-c",
        "import os; print(os.environ['OMP_NUM_THREADS'])",
    ]
    assert subprocess.check_output(show, text=True).strip() == "1"
    assert os.access(BINDER / "postBuild", os.X_OK)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a bash script")
def test_postbuild_adds_the_package_and_changes_nothing_else(tmp_path):
    """In an environment that has this one's libraries; skipped where pip reaches no index."""
    venv.create(tmp_path / "binder", with_pip=True)
    (tmp_path / "libraries").mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "dcamsr" not in path.name:
            (tmp_path / "libraries" / path.name).symlink_to(path)
    (site,) = (tmp_path / "binder").glob("lib/*/site-packages")
    before = {path.name for path in site.iterdir()}
    own = {
        "PATH": os.pathsep.join([str(tmp_path / "binder" / "bin"), os.environ["PATH"]]),
        "PYTHONPATH": str(tmp_path / "libraries"),
    }
    command = ["bash", BINDER / "postBuild"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | own, capture_output=True, text=True)
    if "No matching distribution" in done.stderr:
        pytest.skip("pip reaches no index")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "lite-4x" in done.stdout.splitlines()[-1]
    added = {path.name for path in site.iterdir()} - before
    assert added and all("dcamsr_lite" in name for name in added)


@pytest.mark.slow
def test_repo2docker_takes_the_environment_and_the_scripts(tmp_path):
    """The Dockerfile that it would build, in order; by `pip install jupyter-repo2docker`."""
    command = shutil.which("jupyter-repo2docker")
    if command is None:
        pytest.skip("repo2docker is not installed")
    done = subprocess.run(
        [command, "--no-build", "--debug", str(ROOT)], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    shown = done.stdout + done.stderr
    assert "conda environment for python=3.12" in shown
    steps = ["env update", '"binder/environment.yml"', "RUN ./binder/postBuild", "R2D_ENTRYPOINT="]
    places = [shown.find(step) for step in steps]
    assert min(places) >= 0 and places == sorted(places), dict(zip(steps, places, strict=True))
