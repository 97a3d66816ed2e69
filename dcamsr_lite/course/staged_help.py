"""Help that the learner opens step by step, model answers, and how far the course has come.

>>> hint("kspace.noise")
kspace.noise: difficulty 2 of 3, about 5 minutes. Stuck? Run this again for a nudge, then for the
idea, then for the code.
>>> hint("kspace.noise")
nudge (1 of 3): What does an orthonormal transform do to noise, and what does the step after the
crop do?

The words stand in help.json and explanations.json.
"""

import html
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

from .exercise import Exercise, Question
from .report import results

STAGES = ("nudge", "idea", "code")
_opened: Counter[str] = Counter()  # of this session, by name


def read_words(page: str) -> dict[str, dict[str, Any]]:
    """The entries of one of the package's pages of words, by name.

    >>> sorted(read_words("explanations.json")["start.floor"])
    ['answer', 'points', 'question']
    """
    text = Path(__file__).with_name(page).read_text(encoding="utf-8")
    entries: dict[str, dict[str, Any]] = json.loads(text)
    return entries


def look_up(page: str, name: str) -> dict[str, Any]:
    """One entry of a page of words; ValueError, with the names of the same notebook, for no entry.

    >>> look_up("help.json", "start.psnr")["minutes"]
    5
    """
    entries = read_words(page)
    if name not in entries:
        home = name.split(".")[0]
        near = [known for known in entries if known.startswith(f"{home}.")] or [*entries]
        raise ValueError(f"nothing is there for {name!r}; expected one of {near}")
    return entries[name]


def tell_stage(name: str, stage: str, exercise: Exercise | Question) -> str:
    """What one stage of help says, without its heading.

    >>> from dcamsr_lite import course
    >>> tell_stage("attention.logits", "code", course.EXERCISES["attention.logits"])
    'growth = 16'
    """
    entry = look_up("help.json", name)
    if stage == "code":
        return "\n".join(entry["code"])
    if stage == "nudge" and isinstance(exercise, Exercise):
        return exercise.hints["otherwise"]  # what the check says to a mistake that it does not know
    words: str = entry[stage]
    return words


def hint(name: str) -> None:
    """Print how hard an exercise is; called again a nudge, then the idea, then the code.

    >>> hint("start.where")
    start.where: difficulty 1 of 3, about 3 minutes. Stuck? Run this again for a nudge, then for the
    idea, then for the code.

    So that "Run All" opens nothing. Raises ValueError for an exercise that is not there.
    """
    from . import EXERCISES

    entry = look_up("help.json", name)
    count = _opened[name]
    _opened[name] += 1
    if not count:
        print(
            f"{name}: difficulty {entry['difficulty']} of 3, about {entry['minutes']} minutes. "
            "Stuck? Run this again for a nudge, then for the idea, then for the code."
        )
        return
    number = min(count, len(STAGES))
    stage = STAGES[number - 1]
    words = tell_stage(name, stage, EXERCISES[name])
    between = "\n" if stage == "code" else " "
    print(f"{stage} ({number} of {len(STAGES)}):{between}{words}")


def answer(name: str) -> None:
    """Show the model answer to an "Explain", and what a full answer says: at the second call.

    >>> answer("training.lag")
    training.lag: write down your own answer first. Run this again for a model answer.
    >>> answer("training.lag")  # doctest: +ELLIPSIS
    The single losses: ...
    A full answer says:
    - the raw losses, because the mean lags by about half of the window

    In a solved notebook (DCAMSR_SOLVED=1 while it is built) it stands there at once, folded. Raises
    ValueError for a name that is not there.
    """
    entry = look_up("explanations.json", name)
    points = "\n".join(f"- {point}" for point in entry["points"])
    words = f"{entry['answer']}\nA full answer says:\n{points}"
    if os.environ.get("DCAMSR_SOLVED") == "1":
        _show_folded(entry, words)
        return
    if not _opened[name]:
        print(f"{name}: write down your own answer first. Run this again for a model answer.")
    else:
        print(words)
    _opened[name] += 1


def _show_folded(entry: dict[str, Any], words: str) -> None:
    from IPython.display import display

    points = "".join(f"<li>{html.escape(point)}</li>" for point in entry["points"])
    page = (
        f"<details><summary>A model answer</summary><p>{html.escape(entry['answer'])}</p>"
        f"<p>A full answer says:</p><ul>{points}</ul></details>"
    )
    display({"text/html": page, "text/plain": words}, raw=True)


SAID = re.compile(r"^(\w+\.\w+): (right|not yet|not attempted yet)\b", re.M)
MARKS = {"passed": "✓", "failed": "✗"}
STATES = {"right": "passed", "not yet": "failed", "not attempted yet": "not attempted"}


def read_states(folder: str | os.PathLike[str] = ".") -> dict[str, str]:
    """What each check said in the notebooks of a folder, as saved, and in this session.

    >>> from dcamsr_lite import course
    >>> course.check("start.where", "removed")
    start.where: right. What was cropped is missing altogether: sharp edges live there.
    >>> read_states()["start.where"]
    'passed'

    The last word of a notebook counts; what has passed in one of several copies has passed.
    """
    states: dict[str, str] = {}
    for path in sorted(Path(folder).glob("*.ipynb")):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            said = [_read_printed(cell) for cell in cells if cell["cell_type"] == "code"]
        except (ValueError, LookupError, TypeError, AttributeError):
            continue  # no notebook, or one that is being written
        found = {name: STATES[word] for name, word in SAID.findall("\n".join(said))}
        states |= {name: state for name, state in found.items() if states.get(name) != "passed"}
    return states | {name: result.state for name, result in results.items()}


def _read_printed(cell: dict[str, Any]) -> str:
    return "".join("".join(output.get("text", "")) for output in cell["outputs"])


def progress(folder: str | os.PathLike[str] = ".") -> None:
    """Show, for each notebook of the course, which checks have passed and what is left.

    >>> progress()  # doctest: +ELLIPSIS
    00 start       ...
    all ten notebooks: ...

    Read off the notebooks in ``folder`` as they were saved, and off this session's checks. Minutes
    are those of the exercises that are left.
    """
    from . import EXERCISES, HOMES

    states, minutes = read_states(folder), read_words("help.json")
    rows = []
    for number, home in enumerate(HOMES):
        names = [name for name in EXERCISES if name.startswith(f"{home}.")]
        left = sum(minutes[name]["minutes"] for name in names if states.get(name) != "passed")
        marks = "".join(MARKS.get(states.get(name, ""), "·") for name in names)
        words = f"{marks.count(MARKS['passed'])} of {len(names)}"
        rows.append((f"{number:02d} {home}", marks, words, f"{left} minutes" if left else "done"))
    passed = sum(marks.count(MARKS["passed"]) for _, marks, *_ in rows)
    total = f"all ten notebooks: {passed} of {len(EXERCISES)} checks passed"
    page = "\n".join("{:<14} {:<10} {:>8}   {}".format(*row) for row in rows)
    print(f"{page}\n{total} (✓ right, ✗ not yet, · not tried; minutes: about, of what is left)")
