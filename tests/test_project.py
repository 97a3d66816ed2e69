"""What holds the project together: environments agree, imports stay quick, files stay small."""

import ast
import doctest
import re
import subprocess
import sys
from pathlib import Path
from types import FunctionType

import pytest
import yaml
from helpers import ROOT

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    tomllib = None


def project() -> dict:
    if tomllib is None:
        pytest.skip("tomllib needs Python 3.11")
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def names(requirements) -> set[str]:
    return {re.split(r"[<>=! ;\[]", line, maxsplit=1)[0].lower() for line in requirements}


def test_binders_environment_is_the_local_one():
    local, binder = (ROOT / name for name in ("environment.yml", "binder/environment.yml"))
    assert local.read_text() == binder.read_text()


def test_the_environment_has_what_the_package_asks_for_with_the_same_bounds():
    *conda, pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert "pip" in conda
    conda = {
        line.replace("pytorch-cpu", "torch").replace("matplotlib-base", "matplotlib")
        for line in [*conda, *pip["pip"]]
    }
    wanted = {*project()["dependencies"], *project()["optional-dependencies"]["lab"]}
    assert names(wanted) <= names(conda)
    assert wanted - conda <= {"ipywidgets>=7.7"}  # JupyterLab's own; Colab has 7.7


def test_lower_bounds_only_so_that_colab_keeps_its_own():
    for line in project()["dependencies"]:
        assert re.fullmatch(r"[a-z0-9-]+>=[0-9.]+", line), line


def test_pins_are_names_and_versions_only():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(r'[a-z0-9._-]+==[\w.]+( ; python_version >= "3\.\d+")?', line), line


def test_every_dependency_is_pinned():
    pinned = names((ROOT / "constraints.txt").read_text().splitlines())
    asked = [*project()["dependencies"], *sum(project()["optional-dependencies"].values(), [])]
    assert names(asked) <= pinned


def test_import_loads_nothing_heavy():
    program = (
        "import sys, dcamsr_lite; dir(dcamsr_lite);"
        "heavy = {'torch', 'captum', 'skimage', 'matplotlib', 'anywidget', 'h5py', 'nibabel'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.check_output([sys.executable, "-c", program], text=True, cwd=ROOT)
    assert shown.strip() == "[]"


def test_the_network_reads_like_the_paper():
    pages = [
        (ROOT / "dcamsr_lite" / "network" / name).read_text()
        for name in ("attention.py", "model.py")
    ]
    assert sum(page.count("\n") for page in pages) < 400
    for page in pages:
        assert not re.search(r"\.(reshape|view|permute)\(", page)


def test_kspace_and_network_import_nothing_else_of_ours():
    allowed = {
        "alignment",
        "attention",
        "config",
        "convolution",
        "initialisation",
        "model",
        "motion",
        "windows",
    }
    allowed |= {"channels", "fused", "parts", "spatial_choices", "super_resolver"}
    for name in ("kspace", *(f"network/{name}" for name in allowed)):
        page = (ROOT / "dcamsr_lite" / f"{name}.py").read_text()
        assert set(re.findall(r"^from \.+(\w+) import", page, re.MULTILINE)) <= {*allowed, "kspace"}
        outside = set(re.findall(r"^(?:import|from) (\w+)", page, re.MULTILINE))
        assert outside <= {"collections", "dataclasses", "typing", "torch", "einops"}


def test_no_test_reads_a_clock():
    """What is quick on a free machine is slow on a busy one: `make bench` measures rates."""
    clocks = re.compile(r"\b(perf_counter|process_time|monotonic|time\.time|performance\.now)\(")
    files = [ROOT / "conftest.py", *(ROOT / "tests").rglob("*.*")]
    for path in (path for path in files if path.suffix in (".py", ".js", ".mjs")):
        assert not clocks.search(path.read_text(encoding="utf-8")), path.name


def test_assets_are_data():
    programs = {".py", ".sh", ".js", ".mjs", ".ipynb"}
    assert not [path for path in (ROOT / "assets").rglob("*") if path.suffix in programs]


@pytest.mark.parametrize("suffix", [".py", ".js", ".css"])
def test_no_file_of_the_package_passes_400_lines(suffix):
    for path in (ROOT / "dcamsr_lite").rglob(f"*{suffix}"):
        if path.parent.name == "bundles":  # built, not written
            continue
        assert path.read_text(encoding="utf-8").count("\n") <= 400, path.name


def test_the_readme_names_commands_that_exist():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", page)) <= targets
    assert "{{" not in page
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", page):
        assert (ROOT / link).exists(), link


def test_weights_match_their_cards():
    import dcamsr_lite as dl

    cards = dl.weights()
    assert {"lite-4x", "lite-2x"} <= set(cards)
    for name, card in cards.items():
        model = dl.load(name)  # checks the checksum
        assert model.config.scale == int(name.split("-")[1][0])
        for key in ("trained_on", "kept_out", "steps", "seed", "command", "numbers", "convention"):
            assert card[key] or card[key] == 0, (name, key)
        assert (ROOT / "assets" / "weights" / card["log"]).is_file()


def test_assets_name_their_origin_and_licence():
    for folder in ("brain", "weights"):
        page = (ROOT / "assets" / folder / "README.md").read_text(encoding="utf-8")
        assert re.search("licen[cs]e|CC-BY", page, re.IGNORECASE)
    assert "McGill" in Path(ROOT / "assets/brain/LICENSE-Colin27.txt").read_text(encoding="utf-8")


def test_architecture_figures_are_those_of_their_script(monkeypatch, tmp_path):
    folder = ROOT / "assets" / "figures"
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "figures"))
    import architecture

    architecture.main(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(path.name for path in folder.glob("*.svg")) and len(names) == 4
    for name in names:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_every_doctest_shows_something():
    for path in (ROOT / "dcamsr_lite").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                shown = doctest.DocTestParser().get_examples(ast.get_docstring(node) or "")
                assert not shown or any(example.want for example in shown), (path.name, node)


def test_every_module_is_loaded_once():
    """A second copy has classes of its own, and what a test sets in one the other does not see."""
    ours = {name: module for name, module in sys.modules.items() if name.startswith("dcamsr_lite")}
    for name, module in ours.items():
        package, _, last = name.rpartition(".")
        assert not package or hasattr(ours[package], last), name
        for made in [x for x in vars(module).values() if isinstance(x, type | FunctionType)]:
            home = ours.get(made.__module__)
            assert getattr(home, made.__qualname__, made) is made, f"{name} has another {made}"


@pytest.mark.slow
@pytest.mark.parametrize("first", ["lab", "lab/explorer.py"])
def test_it_is_whatever_is_collected_first(first):
    test = f"{__file__}::{test_every_module_is_loaded_once.__name__}"
    command = ["-m", "pytest", "-q", f"dcamsr_lite/widgets/{first}", test]
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True)
