"""What is installed is what is used: declared dependencies, one version, what wheel and sdist hold."""

import ast
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from helpers import ROOT, pip
from test_project import names, project

# Where an import has another name than what is installed for it.
INSTALLED_AS = {"skimage": "scikit-image", "yaml": "pyyaml", "IPython": "ipython"}
INSTALLED_AS |= {"lazy_loader": "lazy-loader", "PIL": "pillow"}
TOOLS = ("tests", "notebooks", "scripts")


def imported(folder: str) -> set[str]:
    """What the Python files below a folder import, as names to install; our own left out."""
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split(".")[0])
    ours = {"dcamsr_lite"}
    if folder in TOOLS:
        ours |= {path.stem for tools in TOOLS for path in (ROOT / tools).rglob("*")}
    return {INSTALLED_AS.get(name, name) for name in found - ours - sys.stdlib_module_names}


def test_every_import_of_the_package_is_declared():
    found = imported("dcamsr_lite")
    assert {"torch", "scipy"} <= found
    assert found <= names(project()["dependencies"])


@pytest.mark.parametrize("folder", TOOLS)
def test_every_import_of_our_tools_is_declared(folder):
    extras = project()["optional-dependencies"].values()
    assert imported(folder) <= names([*project()["dependencies"], *sum(extras, [])])


def test_version_citation_and_changelog_fit_each_other(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import release

    import dcamsr_lite

    found = release.stated()
    version = dcamsr_lite.__version__
    assert found["dcamsr_lite/__init__.py"] == version
    assert found["CITATION.cff"] == found["CHANGELOG.md"]
    assert release.notes(found["CHANGELOG.md"])
    if ".dev" in version:  # between two releases
        with pytest.raises(SystemExit, match="expected"):
            release.main(f"v{version.split('.dev')[0]}")
    else:
        assert release.main(f"v{version}") == release.notes(version)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel and the sdist of this checkout; skipped where pip reaches no index for hatchling."""
    tools, out = tmp_path_factory.mktemp("tools"), tmp_path_factory.mktemp("dist")
    pip("install", "--quiet", "--target", str(tools), "hatchling")
    program = (
        "import sys, hatchling.build as b\n"
        "print(b.build_wheel(sys.argv[1]), b.build_sdist(sys.argv[1]))"
    )
    paths = os.environ | {"PYTHONPATH": str(tools)}
    command = [sys.executable, "-c", program, str(out)]
    names = subprocess.check_output(command, cwd=ROOT, env=paths, text=True).split()
    return [out / name for name in names]


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_its_data_alone(built):
    with zipfile.ZipFile(built[0]) as wheel:
        held = set(wheel.namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "dcamsr_lite").rglob("*.*")
        if path.suffix in (".py", ".pyi", ".typed", ".js", ".css", ".json", ".html", ".xml")
    }
    data = {
        f"dcamsr_lite/{path.relative_to(ROOT).as_posix()}"
        for folder in ("brain", "weights")
        for path in (ROOT / "assets" / folder).iterdir()
    }
    results = {f"dcamsr_lite/assets/results/{name}.csv" for name in ("study", "runs")}
    assert package | data | results <= held
    for name in held:
        assert name.startswith(("dcamsr_lite/", "dcamsr_lite-")), name
        assert not name.startswith("dcamsr_lite/assets/") or not name.endswith((".py", ".sh"))


@pytest.mark.slow
def test_the_sdist_holds_what_its_tests_need(built):
    with tarfile.open(built[1]) as sdist:
        held = {name.partition("/")[2] for name in sdist.getnames()}
    listed = {
        path.relative_to(ROOT).as_posix()
        for folder in ("dcamsr_lite", "tests", "scripts", "notebooks", "assets")
        for path in (ROOT / folder).rglob("*.*")
        if path.is_file() and "__pycache__" not in path.parts and "work" not in path.parts
    }
    assert listed | {"pyproject.toml", "conftest.py", "LICENSE", "README.md", "Makefile"} <= held
    assert not [name for name in held if ".venv" in name or "__pycache__" in name]


@pytest.mark.slow
def test_the_wheel_runs_from_a_clean_environment(built, tmp_path):
    """Beside this environment's libraries; nothing of the checkout is found."""
    venv.create(tmp_path / "clean")
    folder = tmp_path / "clean" / ("Scripts" if os.name == "nt" else "bin")
    pip("install", "--quiet", "--no-deps", str(built[0]), python=str(folder / "python"))
    own = os.environ | {"PYTHONPATH": sysconfig.get_path("purelib")}
    show = "import dcamsr_lite; print(dcamsr_lite.__file__)"
    place = subprocess.check_output([folder / "python", "-c", show], env=own, text=True)
    assert Path(place).is_relative_to(tmp_path / "clean")
    subprocess.run([folder / "dcamsr", "demo", "--out", tmp_path / "demo"], env=own, check=True)
    made = {path.name for path in (tmp_path / "demo").iterdir()}
    assert {"figure.png", "explorer.html", "metrics.json"} <= made
