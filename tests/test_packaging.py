"""What is installed is what is used: declared dependencies, one version, what wheel and sdist hold."""

import ast
import sys

import pytest
from helpers import ROOT
from test_project import names, project

# Where an import has another name than what is installed for it.
INSTALLED_AS = {"skimage": "scikit-image", "yaml": "pyyaml", "IPython": "ipython"}
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
