"""The syllabus names only what exists: checks, functions, exercises, commands, files."""

import importlib
import re

import pytest
from helpers import ROOT

from dcamsr_lite import cli, course

PAGE = (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")
INDEX = PAGE.split("## Paper index")[1]
CHECK = rf"`((?:{'|'.join(course.HOMES)})\.\w+)`"


def resolve(name: str):
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise AssertionError(name)


def test_every_check_of_the_notebooks_has_an_objective():
    table = PAGE.split("## Prerequisites")[0]
    named = re.findall(CHECK, table)
    assert sorted(named) == sorted(course.EXERCISES)


def test_a_check_stands_beside_the_notebook_that_has_it():
    notebook = None
    for line in PAGE.split("## Prerequisites")[0].splitlines():
        if found := re.search(r"\]\((\w+\.ipynb)\)", line):
            notebook = (ROOT / "notebooks" / found[1]).read_text(encoding="utf-8")
        for name in re.findall(CHECK, line):
            assert f'course.check(\\"{name}\\"' in notebook, name


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(dcamsr_lite[\w.]*)`", INDEX))))
def test_every_function_of_the_index_exists(name):
    assert resolve(name) is not None


def test_every_equation_figure_and_table_of_the_paper_is_in_the_index():
    rows = " ".join(line.split("|")[1] for line in INDEX.splitlines() if line.startswith("|"))
    numbers = set()
    for listed in re.findall(r"Eqs?\. ([\d, ]+)", rows):
        numbers |= set(re.findall(r"\d", listed))
    assert numbers == set("1234567")
    assert {"1", "2", "3", "4"} <= set(re.findall(r"Fig\. (\d)", rows))
    assert {"1", "2"} <= set(re.findall(r"Table (\d)", rows))


def test_every_exercise_of_the_index_is_in_its_notebook():
    found = re.findall(r"\[\d\d\]\((\w+\.ipynb)\), exercises? (\d)(?: (?:to|and) (\d))?", INDEX)
    assert len(found) > 10
    for notebook, *numbers in found:
        page = (ROOT / "notebooks" / notebook).read_text(encoding="utf-8")
        for number in filter(None, numbers):
            assert f"## Exercise {number}:" in page, (notebook, number)


def test_every_make_target_exists():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"`make ([a-z-]+)", PAGE)) <= set(targets)


def test_every_command_and_option_exists(capsys):
    for command, rest in re.findall(r"`dcamsr ([a-z-]+)([^`]*)`", PAGE):
        with pytest.raises(SystemExit) as left:
            cli.main([command, "--help"])
        assert left.value.code == 0
        shown = capsys.readouterr().out
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in shown, (command, option)


def test_every_link_leads_somewhere():
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", PAGE):
        assert (ROOT / "notebooks" / link).exists(), link


def test_every_figure_of_the_project_has_a_licence():
    for path in (ROOT / "assets" / "figures").glob("*.[ps][nv]g"):
        assert path.name in PAGE
