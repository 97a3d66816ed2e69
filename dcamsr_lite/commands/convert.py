"""``dcamsr convert``: a checkpoint of the authors' code as a weight file of ours."""

from argparse import Namespace

import torch

from ..errors import check_output
from ..network.checkpoints import check_ending, load_released, save


def convert_checkpoint(options: Namespace) -> None:
    check_output(options.out, options.checkpoint)
    check_ending(options.out)
    model = load_released(options.checkpoint, scale=options.scale)
    # their code trains by its own grey values: the commands take it from here
    notes = {"origin": "converted from a released checkpoint", "normalisation": "released"}
    save(model, options.out, dtype=torch.float32, **notes)
    print(f"wrote {options.out}: {model.config.image_size[0]} x {model.config.image_size[1]}")
