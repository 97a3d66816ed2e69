"""Networks and pairs for the tests of the attention explorer, and its handle in the browser."""

import torch

import dcamsr_lite as dl

ROOT = "document.querySelector('.dcamsr-explorer').explorer"
NAMES = ("network", "branch", "query", "level", "head", "side_by_side", "relative", "cell")
STATE = f"(state => {[*NAMES]}.map(name => state[name]))({ROOT}.state)"


def logits_only(q, k, project, temperature):
    """A user's own attention, which has no keys to send."""
    return q @ project(k).mT


CASES = {  # name -> (matrix, options of the network)
    "corrected": ((64, 64), {}),
    "padded": ((60, 52), {}),
    "scale 2": ((36, 44), {"scale": 2}),
    "coarse only": ((64, 64), {"multiscale": False}),
    "released": ((64, 64), {"variant": "released"}),
    "paper": ((64, 64), {"variant": "paper"}),
    "aligned": ((60, 52), {"variant": "aligned"}),
    "logits": ((36, 44), {"spatial_attention": logits_only}),
}


def drawings(page, steps: list[str]) -> list[int]:
    """How many pictures the page draws in each of ``steps``, which are JavaScript."""
    counted = """(steps) => {
      const { prototype } = CanvasRenderingContext2D, put = prototype.putImageData;
      let count = 0;
      prototype.putImageData = function (...given) { count += 1; return put.apply(this, given); };
      return steps.map((step) => { count = 0; eval(step); return count; });
    }"""
    return page.evaluate(counted, steps)


def assert_nothing_overlaps(page, width: int, parts: str) -> None:
    """In a window of ``width``: no unfolded ``parts`` lie on another, or outside; insides may."""
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    count, problems = page.evaluate(
        """([parts, width]) => {
          const boxes = [...document.querySelectorAll(parts)].filter((e) => e.checkVisibility())
            .map((e) => [e, e.getBoundingClientRect(), `${e.className} ${e.textContent.slice(0, 40)}`])
            .filter(([, box]) => box.width > 1 && box.height > 1);
          const out = boxes.filter(([, box]) => box.left < -1 || box.right > width + 1);
          const apart = (a, b) => a.left >= b.right - 1 || b.left >= a.right - 1
            || a.top >= b.bottom - 1 || b.top >= a.bottom - 1;
          const pairs = boxes.flatMap(([e, a, one], i) => boxes.slice(0, i)
            .filter(([f, b]) => !(apart(a, b) || e.contains(f) || f.contains(e)))
            .map(([, , other]) => [one, other]));
          return [boxes.length, [...out.map(([, , name]) => name), ...pairs]];
        }""",
        [parts, width],
    )
    assert count > 20 and problems == []


def smooth(seed: int, shape: tuple[int, int], slices: int = 1) -> torch.Tensor:
    random = torch.rand(slices, 1, 9, 9, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(random, shape, mode="bicubic")[:, 0].clamp_min(0)


def network(shape: tuple[int, int], **options) -> dl.DCAMSR:
    """Untrained, but looking at something: temperatures from 3 to 30, footprints with a texture."""
    torch.manual_seed(0)
    model = dl.DCAMSR(**{"scale": 4, "image_size": shape} | options)
    with torch.no_grad():
        for block in model.transformers.values():
            spatial = block.attention.spatial
            if spatial and spatial.temperature is not None:
                spatial.temperature *= torch.linspace(0.3, 3, 8).reshape(8, 1, 1)
            if spatial and not spatial.window:
                footprints = spatial.project_value.weight
                footprints += 0.1 * footprints.abs().max() * torch.randn_like(footprints)
    return model


def example(name: str):
    shape, options = CASES[name]
    model = network(shape, **options)
    pair = dl.load_pair(smooth(1, shape), smooth(2, shape), options.get("scale", 4))
    return model, pair


def recorded(model, pair):
    with torch.inference_mode(), dl.trace(model.eval()) as record:
        model(pair.lr, pair.ref)
    return record


def both():
    """One pair, two networks: the second has fewer heads, one level, no channel branch."""
    pair = dl.load_pair(smooth(1, (64, 64)), smooth(2, (64, 64)), 4)
    other = network((64, 64), multiscale=False, channel=False)
    return {"whole": network((64, 64)), "bare": other}, pair
