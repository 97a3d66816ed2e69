"""A network as one ONNX file: the whole forward pass, its switches, and where it comes from.

>>> from dcamsr_lite import DCAMSR
>>> export_onnx(DCAMSR(image_size=32), "network.pt")
Traceback (most recent call last):
...
dcamsr_lite.errors.InputError: network.pt: found the name 'network.pt'; expected one that ends in .onnx
"""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from .. import __version__
from ..errors import InputError, atomic_path, check_output, raise_if_out_of_memory
from ..extras import load_extra
from ..global_state import single_precision
from ..network.model import DCAMSR
from ..network.super_resolver import SuperResolver, unwrap
from ..network.windows import Grid
from .graph_parts import prepare_enlarging
from .switches import Switched

EXTRA = "onnx"
CLINICAL = "not for clinical use"
LICENCE = "code: MIT (DCAMSR-lite); weights and data: not stated"
NOISY = ("torch.onnx._internal.exporter._registration", "onnx_ir")  # of what does not matter here


def export_onnx(
    model: nn.Module,
    path: str | Path,
    image_size: int | tuple[int, int] | None = None,
    **notes: str,
) -> None:
    """Write a network as one ONNX file, from ``lr`` and ``ref`` to ``sr``, as ``model(lr, ref)``.

    >>> from dcamsr_lite import baseline
    >>> export_onnx(baseline("edsr", image_size=32), "edsr.onnx", image_size=30)
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: image_size: found 30 x 30; expected multiples of the scale, 4

    Inputs: ``lr`` (1, 1, H/s, W/s) and ``ref`` (1, 1, H, W), normalised as the network's pairs are.
    A DCAMSR also takes the switches of its attention, (level, head) each, levels fine to coarse, which
    are what ``intervene`` does: ``spatial_gate``, ``channel_gate`` (1; 0 is off), ``spatial_uniform``,
    ``channel_uniform`` (0; 1 is uniform). Who feeds none has the network as it is. Its outputs are
    ``sr`` and, for each level, what ``trace`` records: ``switches.Switched``. A baseline has ``sr``.

    ``image_size``, of the reference, is fixed in the file; by default the configuration's. The file's
    metadata has ``config``, ``checksum`` (of the weights: ``digest_weights``), ``licence``, ``use``,
    ``normalisation``, ``levels`` (their matrix and the side of their window), and ``notes``. Needs the
    extra ``[onnx]``. The model is left as it was. Raises InputError, also for a network that cannot be
    exported, with the reason.
    """
    check_output(path, endings=(".onnx",))
    onnx = load_extra("onnx", EXTRA)
    load_extra("onnxscript", EXTRA)
    network = _take_copy(model)
    size = _check_size(network, image_size)
    with single_precision():
        whole = _make_whole(network, size)
        inputs = whole.inputs()
        with torch.no_grad():
            outputs = [*_try_pass(whole, inputs)]
        graph = _export(whole, inputs, outputs)
    _strip(graph.graph)
    for name in whole.defaults():  # an input that has a value may be left out
        graph.graph.initializer.append(onnx.numpy_helper.from_array(inputs[name].numpy(), name))
    facts = _describe(network, whole, size) | notes
    onnx.helper.set_model_props(graph, {key: str(value) for key, value in facts.items()})
    graph.producer_name, graph.producer_version = "dcamsr-lite", __version__
    graph.doc_string = f"DCAMSR-lite, {network.config!r}: {CLINICAL}"
    onnx.checker.check_model(graph)
    with atomic_path(path) as temporary:
        temporary.write_bytes(graph.SerializeToString(deterministic=True))


class Whole(nn.Module):
    """What is exported: images of one size and switches by name -> outputs by name."""

    def __init__(self, network: SuperResolver, size: Grid):
        super().__init__()
        self.size, self.scale = size, network.config.scale
        prepare_enlarging(network, size)
        self.inner = Switched(network, size) if isinstance(network, DCAMSR) else network

    def defaults(self) -> dict[str, Tensor]:
        return self.inner.defaults() if isinstance(self.inner, Switched) else {}

    def inputs(self) -> dict[str, Tensor]:
        rows, columns = self.size
        low = torch.zeros(1, 1, rows // self.scale, columns // self.scale)
        return {"lr": low, "ref": torch.zeros(1, 1, rows, columns), **self.defaults()}

    def forward(self, lr: Tensor, ref: Tensor, *switches: Tensor) -> dict[str, Tensor]:
        found = self.inner(lr, ref, *switches)
        return found if isinstance(found, dict) else {"sr": found}


def digest_weights(model: nn.Module) -> str:
    """SHA-256 over the names and float32 values of all weights, in the order of their names.

    >>> from dcamsr_lite import load
    >>> digest_weights(load("lite-4x-released"))[:8]
    'e0a15d0c'
    """
    digest = sha256()
    for name, value in sorted(unwrap(model).state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()


def measure_difference(path: str | Path, model: nn.Module) -> float:
    """How far onnxruntime's ``sr`` is from torch's on noise: the largest difference over its range.

    >>> measure_difference("none.onnx", None)
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: none.onnx: found no such file; expected a file of export_onnx
    """
    if not Path(path).is_file():
        raise InputError(path, "no such file", "a file of export_onnx")
    runtime = load_extra("onnxruntime", EXTRA)
    options = runtime.SessionOptions()
    options.log_severity_level = 3  # that a switch can be set is no warning
    session = runtime.InferenceSession(str(path), options)
    generator = torch.Generator().manual_seed(0)
    shapes = {x.name: x.shape for x in session.get_inputs() if x.name in ("lr", "ref")}
    images = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    (found,) = session.run(["sr"], {name: x.numpy() for name, x in images.items()})
    with torch.inference_mode():
        right = _take_copy(model)(images["lr"], images["ref"])
    return float((torch.from_numpy(found) - right).abs().max() / (right.max() - right.min()))


def _take_copy(model: nn.Module) -> SuperResolver:
    """The network inside, in eval mode and single precision, on the CPU; the model stays as it is."""
    network = unwrap(model)
    if not isinstance(network, SuperResolver):
        raise InputError("model", f"a {type(model).__name__}", "a network of dcamsr_lite")
    for part in network.modules():
        for hook in (*part._forward_hooks.values(), *part._forward_pre_hooks.values()):
            if getattr(hook, "__module__", "").endswith("interpret.hooks"):
                found = "a network that is traced or cut just now"
                raise InputError("model", found, "export outside of `with trace` and `intervene`")
    return deepcopy(network).cpu().float().eval()


def _check_size(network: SuperResolver, given: int | tuple[int, int] | None) -> Grid:
    size = network.config.image_size if given is None else given
    rows, columns = (size, size) if isinstance(size, int) else size
    scale = network.config.scale
    if min(rows, columns) < 1 or rows % scale or columns % scale:
        raise InputError("image_size", f"{rows} x {columns}", f"multiples of the scale, {scale}")
    return rows, columns


def _make_whole(network: SuperResolver, size: Grid) -> Whole:
    try:
        return Whole(network, size).eval()
    except ValueError as error:  # footprints of one grid
        raise InputError(
            "image_size", f"{size[0]} x {size[1]} ({error})", "a size it takes"
        ) from error


class _FourierWatch(TorchDispatchMode):
    """Knows whether a Fourier transform ran inside."""

    seen = False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen = self.seen or "fft" in str(func)
        return func(*args, **(kwargs or {}))


def _try_pass(whole: Whole, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    with _FourierWatch() as watch:
        outputs = whole(*inputs.values())
    if watch.seen:
        found = "a network that takes Fourier transforms inside"
        expected = "one of real numbers: ONNX has no complex ones (ttsr, masa, mcmrsr, consistency)"
        raise InputError("model", found, expected)
    return outputs


def _export(whole: Whole, inputs: dict[str, Tensor], outputs: list[str]) -> Any:
    """The graph as onnx has it. Raises InputError where torch cannot make one of this network."""
    given = tuple(inputs.values())
    options: dict[str, Any] = {"input_names": [*inputs], "output_names": outputs}
    try:
        with _quiet():
            made: Any = torch.onnx.export(whole, given, dynamo=True, verbose=False, **options)
            return made.model_proto
    except Exception as error:  # whatever torch's exporter meets in a network
        raise_if_out_of_memory("model", error)
        told = next(filter(None, map(str.strip, f"{error.__cause__ or error}".splitlines())), "")
        config = (
            whole.inner.network.config if isinstance(whole.inner, Switched) else whole.inner.config
        )
        found = f"{config!r}, which torch's exporter does not take ({told[:200]})"
        raise InputError("model", found, "a network of operators that ONNX has") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says about torch's own code and packages that are not needed."""
    loggers = [logging.getLogger(name) for name in NOISY]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _strip(graph: Any) -> None:
    """Take out the notes of torch's exporter: lines of code, with the paths of who exported."""
    for part in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    del graph.metadata_props[:]
    del graph.value_info[:]  # found again from the operators


def _describe(network: SuperResolver, whole: Whole, size: Grid) -> dict[str, str]:
    facts = {
        "config": json.dumps(asdict(network.config)),
        "checksum": digest_weights(network),
        "licence": LICENCE,
        "use": CLINICAL,
        "normalisation": network.normalisation or "not stated",
        "image_size": json.dumps(size),
        "package": f"dcamsr-lite {__version__}",
    }
    if isinstance(whole.inner, Switched):
        facts["levels"] = json.dumps(whole.inner.describe_levels())
    return facts
