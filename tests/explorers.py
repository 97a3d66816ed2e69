"""Networks and pairs for the tests of the attention explorer, and its handle in the browser."""

import torch

import dcamsr_lite as dl

ROOT = "document.querySelector('.dcamsr-explorer').explorer"
CASES = {  # name -> (matrix, options of the network)
    "corrected": ((64, 64), {}),
    "padded": ((60, 52), {}),
    "scale 2": ((36, 44), {"scale": 2}),
    "coarse only": ((64, 64), {"multiscale": False}),
    "released": ((64, 64), {"variant": "released"}),
    "paper": ((64, 64), {"variant": "paper"}),
}


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
            if spatial:
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
