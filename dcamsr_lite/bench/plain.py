"""The plain path: what the released code computes, the way it computes it; for the bench alone.

Eager, float32, contiguous, softmax written out, every copy and every intermediate kept.

>>> model = DCAMSR(scale=4, image_size=32, variant="released").eval()
>>> lr, ref = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32)
>>> bool((Plain(model)(lr, ref) - model(lr, ref)).abs().max() < 1e-5)
True
"""

from copy import deepcopy
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..network.alignment import encode_as_found
from ..network.attention import DualCrossAttention
from ..network.model import DCAMSR
from ..network.spatial_choices import token_cosine
from ..network.super_resolver import SuperResolver, upsample


class Plain(SuperResolver):
    """A network with the weights of ``model`` (a copy): ``Plain(model)(lr, ref)``, as ``model``'s own.

    >>> Plain(DCAMSR(image_size=32)).network.config.variant
    'corrected'

    Attention that the released code has nothing like (windows, one branch after the other) is the
    package's own, with its softmax written out.
    """

    def __init__(self, model: DCAMSR):
        super().__init__(model.config)
        self.network = deepcopy(model).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self.network.fused = False

    def detail(self, up: Tensor, reference: Tensor) -> Tensor:
        network: Any = self.network
        features, stages = encode(network.encoder, up), network.encoder.stages
        if network.config.in_sequence:
            references = encode_as_found(stages, network.levels, features, reference)
        else:
            references = encode(network.encoder, reference)
        if network.config.multiscale:
            levels = zip(network.transformers.values(), features, references, strict=True)
            textures = [attend(*level) for level in levels]
        else:
            coarse = attend(network.transformers["4"], features[-1], references[-1])
            textures = [upsample(coarse, 4), upsample(coarse, 2), coarse]
        return convolve(network.last, decode(network.decoder, features[-1], textures))


def convolve(conv: Any, x: Tensor) -> Tensor:
    return F.conv2d(x, conv.weight, conv.bias, conv.stride, conv.padding)


def run_stage(stage: Any, x: Tensor) -> Tensor:
    first, _, *blocks = stage
    x = F.relu(convolve(first, x))
    for block in blocks:
        x = x + convolve(block.conv2, F.relu(convolve(block.conv1, x)))
    return x


def encode(encoder: Any, image: Tensor) -> list[Tensor]:
    features = []
    for stage in encoder.stages:
        image = run_stage(stage, image)
        features.append(image)
    return features


def attend(block: Any, image: Tensor, reference: Tensor) -> Tensor:
    """One transformer block: b c h w -> b c h w."""
    b, c, h, w = image.shape
    x, reference = (i.reshape(b, c, h * w).permute(0, 2, 1) for i in (image, reference))
    known = type(block.attention) is DualCrossAttention
    known = known and not (block.attention.spatial and block.attention.spatial.window)
    attention = partial(cross_attend, block.attention) if known else block.attention
    x = x + attention(block.norm(x), block.norm(reference), (h, w))
    normed = block.norm_ffn(x)
    x, normed = (t.permute(0, 2, 1).reshape(b, c, h, w) for t in (x, normed))
    first, _, second = block.ffn
    return x + convolve(second, F.relu(convolve(first, normed)))


def cross_attend(attention: Any, x: Tensor, reference: Tensor, grid: tuple[int, int]) -> Tensor:
    """Both branches, each normalising for itself; heads are copied apart and together again."""
    b, n, c = x.shape
    heads = attention.head_count
    q = attention.query(x).reshape(b, n, heads, c // heads).permute(0, 2, 1, 3).contiguous()
    kinds = attention.key_values(reference).reshape(b, n, -1, heads, c // heads)
    k, *v = (kind.contiguous() for kind in kinds.permute(2, 0, 3, 1, 4))
    halves = []
    if attention.spatial:
        halves.append(attention.spatial_out(attend_tokens(attention.spatial, q, k, v[-1], grid)))
    if attention.channel:
        halves.append(attention.channel_out(attend_channels(attention.channel, q, k, v[0])))
    return torch.cat(halves, dim=-1)


def attend_tokens(branch: Any, q: Tensor, k: Tensor, v: Tensor, grid: tuple[int, int]) -> Tensor:
    if branch.prepare is token_cosine:  # the released one: its temperature multiplies all logits
        q, k = F.normalize(q, dim=-2), branch.project_key(F.normalize(k, dim=-2), grid)
        logits = q @ k.transpose(-2, -1) * branch.temperature
    else:
        ready = branch.prepare(q, k, lambda x: branch.project_key(x, grid), branch.temperature)
        logits = ready[0] @ ready[1].transpose(-2, -1) if isinstance(ready, tuple) else ready
    attention = F.dropout(logits.softmax(dim=-1), branch.dropout, branch.training)
    return branch.merge(attention @ branch.project_value(v, grid)).contiguous()


def attend_channels(branch: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    q, k, v = (x.transpose(-2, -1).contiguous() for x in (q, k, v))
    if branch.temperature is None:
        logits = q @ k.transpose(-2, -1) / q.shape[-2] ** 0.5
    else:
        q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
        logits = q @ k.transpose(-2, -1) * branch.temperature
    x = F.dropout(logits.softmax(dim=-1), branch.dropout, branch.training) @ v
    b, heads, d, n = x.shape
    return x.permute(0, 3, 1, 2).reshape(b, n, heads * d)


def adapt(sam: Any, y: Tensor, texture: Tensor) -> Tensor:
    conv, _ = sam.style
    style = F.relu(convolve(conv, torch.cat([y, texture], dim=1)))
    spread, mean = y.std(dim=(-2, -1), keepdim=True), y.mean(dim=(-2, -1), keepdim=True)
    normed = F.instance_norm(texture)
    return normed * (convolve(sam.gamma, style) + spread) + (convolve(sam.beta, style) + mean)


def decode(decoder: Any, feature: Tensor, textures: list[Tensor]) -> Tensor:
    y = upsample(run_stage(decoder.deep, run_stage(decoder.down, feature)))
    y = run_stage(decoder.join, torch.cat([y, feature], dim=1))
    for place, (fusion, texture) in enumerate(zip(decoder.fusions, textures[::-1], strict=True)):
        y = upsample(y) if place else y
        y = run_stage(fusion.merge, torch.cat([adapt(fusion.adapt, y, texture), y], dim=1))
    return y
