"""Help opened step by step, model answers, progress: nothing is shown before it is asked for."""

import json
import re
import textwrap

import pytest
from helpers import ROOT

from dcamsr_lite import course
from dcamsr_lite.course import Question, examine, staged_help
from dcamsr_lite.course.exercise import to_plain

SOURCES = sorted((ROOT / "notebooks" / "source").glob("*.py"))
HELP = staged_help.read_words("help.json")
ANSWERS = staged_help.read_words("explanations.json")


@pytest.fixture(autouse=True)
def nothing_opened(monkeypatch):
    monkeypatch.setattr(staged_help, "_opened", staged_help.Counter())
    before = dict(course.results)
    course.results.clear()
    yield
    course.results.clear()
    course.results.update(before)


def opened(capsys, name, times) -> list[str]:
    said = []
    for _ in range(times):
        course.hint(name)
        said.append(capsys.readouterr().out.rstrip("\n"))
    return said


@pytest.mark.parametrize("name", [*course.EXERCISES])
def test_help_opens_one_stage_at_each_call_and_ends_with_the_code(name, capsys):
    first, nudge, idea, code, again = opened(capsys, name, 5)
    entry = HELP[name]
    assert f"difficulty {entry['difficulty']} of 3, about {entry['minutes']} minutes" in first
    assert nudge.startswith("nudge (1 of 3): ") and idea == f"idea (2 of 3): {entry['idea']}"
    assert code.split("\n", 1) == ["code (3 of 3):", "\n".join(entry["code"])]
    assert again == code
    assert len({nudge, idea, code}) == 3 and min(map(len, (nudge, idea))) > 40


@pytest.mark.parametrize(
    "name", [n for n, e in course.EXERCISES.items() if isinstance(e, Question)]
)
def test_an_answer_is_in_the_last_stage_alone(name):
    """Nudge and idea do not print it as it has to be typed; a number that the text must name may be."""
    exercise, space = course.EXERCISES[name], {}
    exec("\n".join(HELP[name]["code"]), space)
    space.pop("__builtins__")
    [answer] = space.values()
    assert examine(exercise, answer).state == "passed"
    if isinstance(to_plain(answer), tuple | str):
        shown = HELP[name]["nudge"] + HELP[name]["idea"]
        assert repr(answer) not in shown and json.dumps(answer) not in shown


def test_the_code_of_the_last_stage_is_the_solution_of_the_notebook():
    found = {}
    block = r"### BEGIN SOLUTION\n(.*?)^ *### END SOLUTION.*?^course\.check\(\"([\w.]+)\""
    for source in SOURCES:
        for body, name in re.findall(block, source.read_text(encoding="utf-8"), re.M | re.S):
            found[name] = textwrap.dedent(body).rstrip().split("\n")
    assert found == {name: entry["code"] for name, entry in HELP.items()}
    assert [*HELP] == [*course.EXERCISES]


def test_every_explain_has_a_model_answer_right_behind_it():
    named = []
    for source in SOURCES:
        text = source.read_text(encoding="utf-8")
        follows = r"\*\*Explain\.\*\*(?:.|\n#)*?\n\n+# %%\ncourse\.answer\(\"([\w.]+)\"\)"
        found = re.findall(follows, text)
        assert len(found) == text.count("**Explain.**"), source.stem
        named += found
    assert sorted(named) == sorted(ANSWERS) and not set(ANSWERS) & set(HELP)
    for name, entry in ANSWERS.items():
        assert set(entry) == {"question", "answer", "points"} and entry["points"], name
        assert len(entry["answer"]) > 80, name


def test_a_model_answer_is_shown_at_the_second_call(capsys):
    entry = ANSWERS["start.floor"]
    course.answer("start.floor")
    assert entry["answer"] not in capsys.readouterr().out
    course.answer("start.floor")
    said = capsys.readouterr().out
    assert entry["answer"] in said and all(f"- {point}" in said for point in entry["points"])


def test_a_solved_notebook_has_the_answer_folded(monkeypatch):
    pytest.importorskip("IPython")
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    monkeypatch.setenv("DCAMSR_SOLVED", "1")
    course.answer("kspace.edges")
    assert shown[0]["text/html"].startswith("<details><summary>")
    assert ANSWERS["kspace.edges"]["answer"] in shown[0]["text/plain"]


@pytest.mark.parametrize("ask", [course.hint, course.answer])
def test_a_name_that_is_not_there_is_refused_with_those_of_its_notebook(ask):
    with pytest.raises(ValueError, match=r"'kspace.no'; expected one of \['kspace\.") as refused:
        ask("kspace.no")
    assert "start." not in str(refused.value)


def write_notebook(path, *printed: str) -> None:
    outputs = [{"output_type": "stream", "name": "stdout", "text": [text]} for text in printed]
    cells = [{"cell_type": "markdown", "source": []}, {"cell_type": "code", "outputs": outputs}]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")


def test_progress_reads_saved_notebooks_and_this_session(tmp_path, capsys):
    write_notebook(tmp_path / "mine.ipynb", "start.psnr: right.\nstart.where: not yet. Look.\n")
    write_notebook(tmp_path / "other.ipynb", "kspace.crop: not yet. The crop is not centred.\n")
    write_notebook(tmp_path / "untouched copy.ipynb", "start.psnr: not attempted yet.\n")
    (tmp_path / "torn.ipynb").write_text('{"cells": [')
    course.check("start.cut", "below zero-fill")
    capsys.readouterr()
    course.progress(tmp_path)
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 11 and rows[0].startswith("00 start ")
    assert (rows[0].count("✓"), rows[0].count("✗"), rows[0].count("·")) == (2, 1, 1)
    assert "2 of 4" in rows[0] and "6 minutes" in rows[0]
    assert rows[1].count("✗") == 1 and "0 of 7" in rows[1]
    assert f"2 of {len(course.EXERCISES)} checks passed" in rows[-1]
