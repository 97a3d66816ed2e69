"""Weight files: ours (safetensors with the configuration inside) and the authors' (names mapped).

>>> from dcamsr_lite import DCAMSR
>>> save(DCAMSR(scale=4, image_size=32), "mine.safetensors")
>>> load("mine.safetensors").config.image_size
(32, 32)
"""

import json
import math
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from ..errors import ASSETS, InputError, atomic_path, raise_if_out_of_memory
from ..global_state import keep_generators, single_precision
from .baselines import build
from .config import Config
from .model import DCAMSR
from .super_resolver import SuperResolver, unwrap
from .wrapped_weights import CHECKPOINT, strip_prefixes, take_state

FORMAT = "dcamsr-lite 1"
ENDING = ".safetensors"  # of a weight file's name
COMPUTED = re.compile(r"parametrizations\.|weight_(g|v|orig|mask)$")  # of torch.nn.utils
NUMBERS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def weights() -> dict[str, dict]:
    """The weights that come with the package: name -> card (data, steps, seed, numbers, checksum).

    >>> "lite-4x" in weights()
    True
    """
    cards = sorted((ASSETS / "weights").glob("*.json"))
    return {card.stem: json.loads(card.read_text(encoding="utf-8")) for card in cards}


def save(
    model: SuperResolver, path: str | Path, dtype: torch.dtype = torch.float16, **notes: str
) -> None:
    """Write weights and configuration, atomically. float16 halves the file (error: 5e-4 relative).

    >>> from dcamsr_lite import DCAMSR
    >>> save(DCAMSR(image_size=32), "exact.safetensors", dtype=torch.float32, data="none")
    >>> sorted(read_header("exact.safetensors"))
    ['config', 'data', 'format']

    ``notes`` are strings kept in the file's header, beside the normalisation that the network was
    trained with, where that is known. Weights too large for float16 are kept as float32. Raises
    InputError when it cannot be written, for what is no network of ours, and for weights that
    ``load`` would refuse.
    """
    check_ending(path)
    model = unwrap(model)
    if not isinstance(model, SuperResolver):
        raise InputError(
            path, f"a {type(model).__name__} to be written", "a network of dcamsr_lite"
        )
    shared = {id(t): name for name, t in reversed(list(model.state_dict(keep_vars=True).items()))}
    tensors = {
        name.replace("_orig_mod.", ""): value.detach().to(dtype).contiguous()  # of a compiled part
        for name, value in model.state_dict(keep_vars=True).items()
        if shared[id(value)] == name  # a module used twice is stored once
    }
    if not all(value.isfinite().all() for value in tensors.values()):
        if dtype == torch.float16:
            return save(model, path, torch.float32, **notes)
        _check_numbers(path, tensors)
    if computed := [name for name in tensors if COMPUTED.search(name)]:
        expected = "plain weights: take the parametrization off first"
        raise InputError(path, f"{computed[0]}, of which a layer computes its weight", expected)
    known = {} if model.normalisation is None else {"normalisation": model.normalisation}
    if model.sides:
        known["sides"] = "{} {}".format(*model.sides)
    header = {"format": FORMAT, "config": json.dumps(asdict(model.config)), **known, **notes}
    content = sort_header(to_bytes(tensors, metadata={k: _show(v) for k, v in header.items()}))
    with atomic_path(path) as temporary:  # knows a full disk; safetensors' writer has no OSError
        temporary.write_bytes(content)


def check_ending(path: str | Path) -> None:
    """Raise InputError unless ``load`` would take a file of this name.

    >>> check_ending("out.pth")
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: out.pth: found a name that ends in '.pth'; expected one that ends in
    .safetensors: nothing reads weights from another
    """
    if Path(path).suffix != ENDING:
        found = f"a name that ends in {Path(path).suffix!r}"
        expected = f"one that ends in {ENDING}: nothing reads weights from another"
        raise InputError(path, found, expected)


def _show(text: str) -> str:
    """Words that a file can hold; the bytes of a strange file name are written as \\x.."""
    return text.encode("utf-8", "backslashreplace").decode()


def sort_header(content: bytes) -> bytes:
    """A safetensors file with the strings of its header in the order of their names.

    >>> files = [to_bytes({}, metadata=dict(order)) for order in (["a1", "b2"], ["b2", "a1"])]
    >>> sort_header(files[0]) == sort_header(files[1])
    True

    The library writes them in an order of its own each time, so that equal weights had other bytes.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors behind it stay aligned
    return len(text).to_bytes(8, "little") + text + content[end:]


def read_header(path: str | Path) -> dict[str, str]:
    """The strings in a weight file's header, without reading the weights.

    >>> from dcamsr_lite import DCAMSR
    >>> save(DCAMSR(image_size=32), "noted.safetensors", data="none")
    >>> read_header("noted.safetensors")["data"]
    'none'
    """
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError, RuntimeError, MemoryError) as error:
        raise_if_out_of_memory(path, error)
        found = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise InputError(path, found, "a safetensors weight file") from error


def _read_tensors(path: str | Path) -> dict[str, Tensor]:
    read_header(path)
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    _check_numbers(path, tensors)
    return tensors


def _check_numbers(where: object, tensors: Mapping[str, Tensor]) -> None:
    for name, value in tensors.items():
        if value.dtype not in NUMBERS or value.layout != torch.strided:
            raise InputError(
                where, f"{value.dtype} values in {name!r}", "weights of 16 bits or more"
            )
        if value.numel() * value.itemsize > value.untyped_storage().nbytes():  # one for many places
            raise InputError(where, f"{name!r} without values of its own", "weights")
        if not value.isfinite().all():
            raise InputError(where, f"values in {name!r} that are no finite numbers", "weights")


def load(
    name: str | Path,
    image_size: int | tuple[int, int] | None = None,
    spatial_attention: Callable | None = None,
) -> SuperResolver:
    """A trained network by name (see ``weights()``) or from a file; float32, eval mode.

    >>> load("lite-4x").config.scale
    4

    The file's own configuration is used, whatever today's defaults are, and its ``normalisation``.
    ``image_size`` builds it for another size where the variant allows. A network trained with a
    function of yours needs it again.
    Raises InputError for an unknown name, a damaged file, or a checksum that does not fit.
    """
    path = Path(name)
    if path.suffix != ENDING:
        cards = weights()
        if str(name) not in cards:
            raise InputError(name, "no such weights", f"a .safetensors file or one of {[*cards]}")
        path = ASSETS / "weights" / f"{name}.safetensors"
        checksum = sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
        if checksum != cards[str(name)]["sha256"]:
            raise InputError(path, f"sha256 {checksum}", f"{cards[str(name)]['sha256']} (its card)")
    header, tensors = read_header(path), strip_prefixes(path, _read_tensors(path))
    if header.get("format") != FORMAT:
        raise InputError(path, f"format {header.get('format')!r}", f"{FORMAT!r}")
    try:
        fields = json.loads(header["config"])
        changes = {} if image_size is None else {"image_size": image_size}
        config = Config.make(**(asdict(Config()) | fields | changes))
        _check_claims(config, tensors)
        own = {"spatial_attention": spatial_attention} if spatial_attention else {}
        with single_precision(), keep_generators():
            model = build(config, **own)
    except Exception as error:  # what a hostile configuration may do to whoever builds by it
        raise_if_out_of_memory(path, error)
        raise InputError(
            path, f"a configuration that fails ({error})", "a network of ours"
        ) from error
    _fill(model, tensors, path)
    named = path.suffix != Path(name).suffix  # those that come with the package do not say it
    model.normalisation = header.get("normalisation", "clean" if named else None)
    if said := re.fullmatch(r"([1-9]\d{0,4}) ([1-9]\d{0,4})", header.get("sides", "")):
        model.sides = (int(said[1]), int(said[2]))
    return model.eval()


def _check_claims(config: Config, tensors: Mapping[str, Tensor]) -> None:
    """A header must not make us build more than a few times what the file holds."""
    blocks = sum(config.encoder_blocks + config.decoder_blocks + config.blocks)
    held = sum(t.numel() for t in tensors.values())
    if max(config.channels, config.heads, config.tokens, blocks) > 1024:
        raise ValueError("more than 1024 channels, heads, tokens or blocks")
    side = config.held_footprints
    grid = side**2 if side else math.prod(config.image_size)
    claimed = max(blocks * 9 * config.channels**2, config.tokens * grid)
    if claimed > 4 * held + 10**6:
        raise ValueError("far more parameters than the file holds")


def _fill(model: SuperResolver, tensors: Mapping[str, Tensor], source: object) -> None:
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    for name, value in tensors.items():
        if name not in expected or tuple(value.shape) != expected[name]:
            raise InputError(
                source, f"{name} {tuple(value.shape)}", f"{expected.get(name, 'nothing')}"
            )
    # Modules used twice are stored once: what must be there is every distinct tensor.
    distinct = {name for name, _ in model.named_parameters()}
    if missing := distinct - set(tensors):
        raise InputError(source, f"no {sorted(missing)[0]}", f"all of {len(distinct)} weights")
    model.load_state_dict(tensors, strict=False)


# --- the authors' checkpoints ---------------------------------------------------------------------

_RELEASED = (  # a pattern of the authors' names -> ours
    (r"enc\.conv_L(\d)\.", lambda m: f"encoder.stages.{int(m[1]) - 1}.0."),
    (r"enc\.blk_L(\d)\.(\d+)\.", lambda m: f"encoder.stages.{int(m[1]) - 1}.{int(m[2]) + 2}."),
    (r"trans_lv(\d)\.0\.", lambda m: f"transformers.{2 ** (int(m[1]) - 1)}."),
    (r"epa_block\.temperature2", lambda m: "attention.spatial.temperature"),
    (r"epa_block\.temperature", lambda m: "attention.channel.temperature"),
    (r"epa_block\.q\.", lambda m: "attention.query."),
    (r"epa_block\.kvv\.", lambda m: "attention.key_values."),
    (r"epa_block\.E\.", lambda m: "attention.spatial.project_key."),
    (r"epa_block\.out_proj\.", lambda m: "attention.channel_out."),
    (r"epa_block\.out_proj2\.", lambda m: "attention.spatial_out."),
    (r"decoder\.conv_L3\.", lambda m: "decoder.down.0."),
    (r"decoder\.conv_L2\.", lambda m: "decoder.deep.0."),
    (r"decoder\.conv_L1\.", lambda m: "decoder.join.0."),
    (r"decoder\.blk_L3\.(\d+)\.", lambda m: f"decoder.down.{int(m[1]) + 2}."),
    (r"decoder\.blk_L2\.(\d+)\.", lambda m: f"decoder.deep.{int(m[1]) + 2}."),
    (r"decoder\.blk_L1\.(\d+)\.", lambda m: f"decoder.join.{int(m[1]) + 2}."),
    (r"decoder\.merge_warp_x(\d)\.", lambda m: f"decoder.fusions.{'124'.index(m[1])}.merge.0."),
    (
        r"decoder\.blk_x(\d)\.(\d+)\.",
        lambda m: f"decoder.fusions.{'124'.index(m[1])}.merge.{int(m[2]) + 2}.",
    ),
    (r"decoder\.pAda\.conv_shared\.0\.", lambda m: "decoder.fusions.0.adapt.style.0."),
    (r"decoder\.pAda\.conv_(gamma|beta)\.", lambda m: f"decoder.fusions.0.adapt.{m[1]}."),
    (r"decoder\.conv_out\.", lambda m: "last."),
)


def load_released(source: str | Path | Mapping[str, Tensor], scale: int = 4) -> DCAMSR:
    """The authors' network from their checkpoint or state dict; image size from E; eval mode.

    >>> load_released({}, scale=4)
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: state dict: found no trans_lv1.0.epa_block.E.weight; expected ...

    Names and shapes: the released code's (what wrappers put before the names is taken off, see
    ``wrapped_weights``; ``F`` must equal ``E``). Files are read without executing pickled code. E
    does not tell rows from columns, so the image is taken to be square, as the released code has
    it. Raises InputError.
    """
    where = source if isinstance(source, str | Path) else "state dict"
    content = _read_checkpoint(source) if isinstance(source, str | Path) else source
    state = strip_prefixes(where, take_state(where, content))
    key = "trans_lv1.0.epa_block.E.weight"
    if prefixed := [name for name in state if name.endswith(f".{key}")]:
        found = f"names that begin with {prefixed[0].removesuffix(key)!r}"
        raise InputError(where, found, f"the released code's, such as {key}: take it off")
    if key not in state or state[key].ndim != 2:
        raise InputError(where, f"no {key}", "a state dict of the released DCAMSR")
    side = round(state[key].shape[1] ** 0.5)
    if side**2 != state[key].shape[1] or side % 8 or not 8 <= side <= 2048:
        raise InputError(where, f"E over {state[key].shape[1]} tokens", "a square image, side 8 k")
    _check_numbers(where, state)
    with single_precision(), keep_generators():
        model = DCAMSR(scale=scale, image_size=side, variant="released", preset="full")
    tensors = {}
    for name, value in state.items():
        if ".F." in name:
            if not torch.equal(value, state.get(name.replace(".F.", ".E."), value + 1)):
                raise InputError(where, f"{name} differs from E", "one shared projection")
            continue
        ours = name
        for pattern, new in _RELEASED:
            ours = re.sub(rf"(?:^|(?<=\.)){pattern}", new, ours)
        if ours.endswith("project_key.weight") and value.ndim == 2:
            level = int(ours.split(".")[1])
            grid = (side // level, side // level)
            if value.shape[1] != grid[0] * grid[1]:
                raise InputError(
                    where, f"{name} {tuple(value.shape)}", f"{grid[0] * grid[1]} tokens"
                )
            value = value.unflatten(1, grid)
        tensors[ours] = value
    _fill(model, tensors, where)
    model.normalisation = "released"
    return model.eval()


def _read_checkpoint(path: str | Path) -> Any:
    """What safetensors or a torch checkpoint hold, never executing what is pickled in it."""
    if Path(path).suffix == ENDING:
        return _read_tensors(path)
    try:
        if zipfile.is_zipfile(path):  # as torch writes it, it stores: what inflates has no bound
            with zipfile.ZipFile(path) as archive:
                if any(entry.compress_type for entry in archive.infolist()):
                    raise zipfile.BadZipFile("compressed entries")
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise InputError(path, "no such file", CHECKPOINT) from error
    except Exception as error:  # a hostile file may raise anything; nothing of it was executed
        raise_if_out_of_memory(path, error)
        reason = str(error).split(".")[0][:120]
        if "Unsupported global" in str(error):
            reason = "objects beside tensors, such as arrays of numpy"
        raise InputError(
            path, f"a file that cannot be read safely ({reason})", CHECKPOINT
        ) from error
