"""Several explorers in one document, as in a notebook: neither controls nor styles meet."""

import json

import pytest
from explorers import network, smooth

import dcamsr_lite as dl
from dcamsr_lite.widgets.shared.base import Explorer
from dcamsr_lite.widgets.shared.static import spell

SIDE = 32


def all_of_them():
    pair = dl.load_pair(smooth(1, (SIDE, SIDE)), smooth(2, (SIDE, SIDE)), 4)
    model = network((SIDE, SIDE))
    attribution = dl.explore_attribution(lambda lr, ref: ref.roll(2, 3), pair)
    attribution.run("occlusion")
    return {
        "attention": dl.explore(model, pair),
        "kspace": dl.explore_kspace(pair),
        "lab": dl.intervention_lab(model, pair, other=pair),
        "attribution": attribution,
        "displacement": dl.explore_displacement([model, network((SIDE, SIDE))], pair),
        "empty": Explorer(message="nothing to show"),
    }


# where things are, and what is written before a value: what another's style sheet would change
LAYOUT = """root => {
  const all = (parts) => [...root.querySelectorAll(parts)], from = root.getBoundingClientRect();
  return all("section, figure, table, td, button, legend, h3")
    .map((e) => [e.tagName, e.getBoundingClientRect()]).filter(([, box]) => box.width > 0)
    .map(([name, { left, top, width, height }]) =>
      [name, ...[left - from.left, top - from.top, width, height].map((x) => x.toFixed(1))].join(" "))
    .concat(all("figcaption output").map((e) => getComputedStyle(e, "::before").content));
}"""


@pytest.fixture(scope="module")
def explorers():
    return all_of_them()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1300, 900])
def test_each_looks_and_answers_as_it_does_alone(width, explorers, browser, tmp_path):
    def shown(names):
        """One document, each explorer with its own module and style sheet, as anywidget adds them."""
        parts = []
        for i, name in enumerate(names):
            one = explorers[name]
            state = json.dumps(one.state(), default=spell).replace("<", "\\u003c")
            parts.append(
                f"<style>{one._css}</style><main id='m{i}'></main>"
                f"<script type='application/json' id='s{i}'>{state}</script>"
                f"<script type='module'>{one._esm}\nstandalone(document.querySelector('#m{i}'),"
                f"JSON.parse(document.querySelector('#s{i}').textContent));</script>"
            )
        path = tmp_path / f"{'-'.join(names)}.html"
        path.write_text(f"<!doctype html><meta charset=utf-8><body>{''.join(parts)}</body>")
        page = context.new_page()
        page.goto(path.as_uri())
        page.wait_for_function(f"document.querySelectorAll('footer').length === {len(names)}")
        page.wait_for_timeout(200)
        return page

    context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
    together = shown([*explorers])
    for i, name in enumerate(explorers):
        alone = shown([name])
        expected = alone.locator(".dcamsr-explorer").evaluate(LAYOUT)
        assert together.locator(f"#m{i} .dcamsr-explorer").evaluate(LAYOUT) == expected, name
        hidden = together.locator(f"#m{i} [hidden]").evaluate_all(
            "all => all.filter(e => e.getBoundingClientRect().width > 0).length"
        )
        assert hidden == 0, name
        for fieldset in together.locator(f"#m{i} fieldset").all():
            count = fieldset.locator("input:checked").count()
            assert count == 1, (name, fieldset.inner_text())
    context.close()
