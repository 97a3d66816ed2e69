"""Networks of every kind that can be exported, and their switches set as ``intervene`` is asked."""

import torch
from helpers import awake

import dcamsr_lite as dl
from dcamsr_lite.export.switches import Switched

SIZES = {"image_size": (28, 36), "channels": 8, "heads": 2, "tokens": 16}
NETWORKS = {
    "corrected": {},
    "aligned": {"variant": "aligned"},
    "paper": {"variant": "paper"},
    "released": {"variant": "released"},
    "window": {"spatial_attention": "window"},
    "pooled": {"spatial_attention": "pooled"},
    "side by side, votes": {"spatial_attention": "offsets"},
    "no reference": {"reference": False},
    "no channel branch": {"channel": False},
    "no spatial branch": {"spatial": False, "scale": 2},
    "coarse only": {"variant": "aligned", "multiscale": False},
}


def example(name: str):
    torch.manual_seed(0)
    model = awake(dl.DCAMSR(**SIZES | NETWORKS[name]))
    (rows, columns), scale = SIZES["image_size"], model.config.scale
    images = torch.randn(1, 1, rows // scale, columns // scale), torch.randn(1, 1, rows, columns)
    return model, images


def set_switches(switched: Switched, branch: str, state: str, heads, levels) -> dict:
    switches = switched.defaults()
    chosen = switches[f"{branch}_{'gate' if state == 'off' else 'uniform'}"]
    for row, level in enumerate(switched.network.levels):
        if levels is None or level in levels:
            chosen[row, slice(None) if heads is None else heads] = float(state == "uniform")
    return switches
