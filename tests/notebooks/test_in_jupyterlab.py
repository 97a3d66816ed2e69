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
# After a scroll JupyterLab measures the cells that came, and moves the rest: last by a few pixels, a
# quarter of a second later. The pointer, which stays where it is, is then on another row.
AT_REST = """(image) => new Promise((done) => {
  let before, frames = 0;
  const look = () => {
    const { x, y, width } = image.getBoundingClientRect(), now = `${x} ${y} ${width}`;
    frames = now === before ? frames + 1 : 0;
    before = now;
    if (frames < 60) requestAnimationFrame(look);
    else done(width);
  };
  image.scrollIntoView({ block: "center" });
  look();
})"""
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

    width = image.evaluate(AT_REST)

    def move(row: int, column: int) -> None:
        across, down = ((i + 0.5) / 128 * width for i in (column, row))
        image.hover(position={"x": across, "y": down})

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
