"""The committed notebooks in a real JupyterLab: run all, then move their explorer with the pointer."""

import math
import re

import pytest
from helpers import ROOT

FOLDER = ROOT / "notebooks"
SOURCES = {path.stem for path in (FOLDER / "source").glob("*.py")}
# no silent pass: each is run as soon as it has a source, and then it has to be there
NAMES = [name for name in ("00_start_here", "04_attention_microscope") if name in SOURCES]
READING = re.compile(
    r"Query at row (\d+), column (\d+): entropy ([\d.]+)(?: of the heads' mean)?, (strongest .+)"
)
# a notebook has other explorers, too
TITLE = "Where does the network look?"
EXPLORER = (
    "[...document.querySelectorAll('.dcamsr-explorer')].find((e) => e.explorer.weights).explorer"
)
IDLE = "() => ![...document.querySelectorAll('.jp-InputPrompt')].some((p) => /[*]/.test(p.textContent))"
WEIGHTS = f"""([row, column]) => {{
  const {{ level, head }} = {EXPLORER}.state, at = (i) => Math.floor(i / level);
  return [...{EXPLORER}.weights(level, head, at(row), at(column))];
}}"""


def find(page, part: str):
    return page.locator(".dcamsr-explorer").filter(has_text=TITLE).locator(part)


def read(page) -> tuple[list[int], float, str]:
    """The query, its entropy and the rest of what the page says; the entropy is checked."""
    said = find(page, ".dx-reading").filter(has_text="Query at row").first
    row, column, entropy, rest = READING.match(said.text_content()).groups()
    query = [int(row), int(column)]
    weights = page.evaluate(WEIGHTS, query)
    expected = -sum(w * math.log(w) for w in weights if w) / math.log(len(weights))
    assert float(entropy) == pytest.approx(expected, abs=6e-4)
    return query, float(entropy), rest


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebooks_explorer_follows_the_pointer_in_jupyterlab(name, in_lab, tmp_path):
    page = in_lab(FOLDER / f"{name}.ipynb", seconds=900)
    page.wait_for_function(IDLE, timeout=900_000)  # no cell is running or waits
    for kind in ("error", "stderr"):
        assert page.locator(f"[data-mime-type='application/vnd.jupyter.{kind}']").count() == 0

    image = find(page, ".dx-panels .dx-frame").first

    def move(row: int, column: int) -> None:
        """Scrolls there and waits until the image stands still: JupyterLab goes on drawing."""
        box = image.bounding_box()
        across, down = ((i + 0.5) / 128 for i in (column, row))
        image.hover(position={"x": across * box["width"], "y": down * box["height"]})

    seen = []
    for place in ([50, 44], [83, 76]):  # hovering looks
        move(*place)
        query, *numbers = read(page)
        assert query == place
        seen.append(numbers)
    page.mouse.down()  # dragging stays
    move(38, 64)
    page.mouse.up()
    page.mouse.move(5, 5)
    query, *numbers = read(page)
    assert query == [38, 64] == page.evaluate(f"{EXPLORER}.state.query")
    assert len({str(numbers) for numbers in [*seen, numbers]}) == 3
    page.screenshot(path=tmp_path / f"{name}.png")
