"""What the pages of the repository name exists, and the workflows run what there is."""

import ast
import re
import shlex

import pytest
import yaml
from helpers import ROOT

from dcamsr_lite import cli

PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "docs/own-data.md"]
PAGES += ["docs/reproduce-the-paper.md"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ROOMS = ROOT / "dcamsr_lite"


def words(page: str) -> list[str]:
    """What stands in backticks on a page, fenced blocks left out."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def fenced(page: str, language: str) -> list[str]:
    """The lines of a page's fenced blocks of one language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S)
    return [line for kind, body in blocks if kind == language for line in body.splitlines()]


def defined(path) -> set[str]:
    """Functions, classes, their methods and constants in a Python or JavaScript file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        names = set(re.findall(r"(?:function\*?|class|const|let) (\w+)", text))
        classes = re.findall(r"^(?:export )?class (\w+)(.*?)^}", text, re.M | re.S)
        methods = [(c, m) for c, body in classes for m in re.findall(r"^  (\w+)\(", body, re.M)]
        return names | {f"{c}.{m}" for c, m in methods}
    kinds = (ast.FunctionDef, ast.ClassDef)
    body = ast.parse(text).body
    top = [node for node in body if isinstance(node, kinds)]
    inner = [f"{n.name}.{child.name}" for n in top for child in n.body if isinstance(child, kinds)]
    set_here = [n for node in body for n in ast.walk(node) if isinstance(n, ast.Name)]
    values = [n.id for n in set_here if isinstance(n.ctx, ast.Store)]
    return {node.name for node in top} | {*inner, *values}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert ((ROOT / page).parent / link).exists(), link


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_files_and_functions_that_a_page_names_exist(page):
    named = [
        re.fullmatch(r"([\w./-]+\.(?:py|js|csv|cff|md))(?::([\w.]+))?", w) for w in words(page)
    ]
    named = [match.groups() for match in named if match]
    assert named
    for name, function in named:
        if "/" not in name and not (ROOT / name).exists() and not (ROOMS / name).exists():
            assert list(ROOMS.rglob(name)), name  # a bare name: of a room that the page has named
            continue
        path = next((base / name for base in (ROOT, ROOMS) if (base / name).is_file()), None)
        assert path or "NN_name" in name, name
        assert not function or function in defined(path), f"{name}:{function}"


@pytest.mark.parametrize("page", PAGES)
def test_commands_on_a_page_are_commands(page):
    for line in fenced(page, ""):
        if re.match("dcamsr [a-z]", line) and "[" not in line:  # with brackets: a synopsis
            cli.parser().parse_args(shlex.split(line)[1:])


@pytest.mark.slow
def test_the_example_of_the_readme_runs():
    exec("\n".join(fenced("README.md", "python")), {})


@pytest.mark.slow
def test_the_demo_prints_what_the_readme_shows_and_no_answer_of_notebook_00(
    tmp_path, capsys, monkeypatch
):
    """It printed the order of the methods and the two bands, which 00 asks to predict."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["demo"]) == 0
    said = capsys.readouterr().out
    assert said.strip() in (ROOT / "README.md").read_text(encoding="utf-8")
    assert not re.search("bicubic|measured|removed", said)


def test_the_walks_are_walks_through_code():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    walks = re.split(r"^## ", page, flags=re.M)[1:4]
    assert [walk.split(".")[0] for walk in walks] == ["1", "2", "3"]
    for walk in walks:
        assert len(re.findall(r"`[\w/]+\.(?:py|js):[\w.]+`", walk)) >= 7


def test_every_room_is_on_the_page_and_in_the_drawing():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = (ROOT / "docs" / "rooms.svg").read_text(encoding="utf-8")
    for path in ROOMS.iterdir():
        room = f"{path.name}/" if (path / "__init__.py").is_file() else path.name
        if room.endswith((".py", "/")) and not room.startswith("__"):
            assert f"`{room}`" in page and room in drawing, room


def test_the_drawing_is_that_of_its_script(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "figures"))
    import rooms

    rooms.rooms().write(tmp_path / "rooms.svg")
    assert (tmp_path / "rooms.svg").read_bytes() == (ROOT / "docs" / "rooms.svg").read_bytes()


def test_the_changelog_leads_from_old_modules_and_names_to_those_that_are_there():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    rows = [row for row in re.findall(r"^\| (.*) \| (.*) \|$", text, re.M) if "`" in row[0]]
    assert len(rows) > 30
    for old, new in rows:
        places = re.findall(r"`([\w.]+)`", new)
        if new.endswith("and the same name"):
            places = [places[0] + name.split(".")[-1] for name in re.findall(r"`([\w.]+)`", old)]
        for place in places if "now" not in new else []:
            path = ROOMS.joinpath(*place.split("."))
            home = path.parent.with_suffix(".py")  # of a name; a room or a module stands for itself
            found = path.is_dir() or path.with_suffix(".py").is_file()
            assert found or home.is_file() and path.name in defined(home), place


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_what_there_is(path):
    text = path.read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"} and "secrets." not in text
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"run: make ([a-z-]+)", text)) <= targets
    for job in workflow["jobs"].values():
        assert "uses" in job or job["timeout-minutes"] <= 90
        if "uses" in job:
            assert (ROOT / job["uses"]).is_file()
        for step in job.get("steps", []):
            assert ("uses" in step) != ("run" in step)
            if "uses" in step:
                assert re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|release/v\d+)", step["uses"])
            for name in re.findall(
                r"(?:python|--ignore=)\s?((?:scripts|tests)/[\w/.]+)", str(step)
            ):
                assert (ROOT / name).exists(), name


def test_hooks_run_what_make_setup_installs():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in hooks["repos"]] == ["local"]
