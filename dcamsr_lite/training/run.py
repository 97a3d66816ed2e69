"""How far a training has come: its folder, its log, and what stops it without losing anything."""

import csv
import errno
import io
import json
import signal
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from math import inf, isclose
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import nn

from ..data.volume import refuse_errors
from ..errors import InputError, atomic_path, check_writable, raise_if_out_of_memory
from ..network.checkpoints import save
from ..network.super_resolver import SuperResolver
from .dataset import Slices, sample_means
from .distributed import get_rank
from .recipe import Recipe

WRITTEN = ("last.safetensors", "best.safetensors", "log.csv", "config.json", "recipe.json")
NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL)
# what a state says beside its parts
KEPT = {"step": int, "seconds": float, "rows": list, "losses": list, "best": float | None}
KEPT |= {"validation": list}
LOG = ("step", "loss", "learning_rate", "validation_psnr", "seconds")
SELECTED = (
    "best.safetensors was selected by its PSNR on the validation volumes: that number is optimistic."
    " Report best.safetensors on volumes that chose nothing, or report last.safetensors"
)


class Run:
    """The folder of a training: state.pt, log.csv, last and best weights, each whole or not at all.

    >>> from dcamsr_lite import DCAMSR
    >>> model = DCAMSR(image_size=32)
    >>> run = Run("run", {"seed": 0}, {"model": model})
    >>> run.open(resume=False)
    >>> run.step = 7
    >>> run.save(model)
    >>> again = Run("run", {"seed": 0}, {"model": model})
    >>> again.open(resume=True)
    >>> again.step
    7

    ``identity`` says what decides the weights: another run is neither resumed nor overwritten.
    ``parts`` have ``state_dict`` and ``load_state_dict``. state.pt is written last: what lies
    beside it is never older, and a training that goes on from it writes the same again. The very
    first one is written first, so that nothing of ours ever lies there without it.
    """

    def __init__(
        self,
        out: str | Path,
        identity: dict,
        parts: dict,
        notes: dict | None = None,
        texts: dict | None = None,
    ):
        self.out, self.identity, self.parts = Path(out), identity, parts
        self.notes, self.texts = notes or {}, texts or {}
        self.step, self.seconds = 0, 0.0
        self.rows: list[list] = []
        self.losses: list[float] = []  # since the last row
        self.best: float | None = None
        self.validation: list[float] = []  # what the best was measured on

    def open(self, resume: bool) -> None:
        """Take up the state in the folder, or make sure that there is none. Raises InputError."""
        check_folder(self.out, resume)
        file = self.out / "state.pt"
        if not file.exists():
            return
        state = read_state(file)
        identity = state["identity"]
        if other := compare_identities(identity, self.identity):
            was, asked = ({k: v[i] for k, v in other.items()} for i in (0, 1))
            raise InputError(file, f"a run with {was}", f"{asked}, as asked; or another folder")
        try:
            for name, part in self.parts.items():
                part.load_state_dict(state[name])
            check_weights(self.parts)
        except Exception as error:  # each part has its own kinds
            raise_if_out_of_memory(file, error)
            found = str(error).split("\n")[0]
            raise InputError(file, found, "the state of this network") from error
        notes = state.get("notes", {})  # of the first start: --init is not given again
        vars(self).update({name: state[name] for name in KEPT if name in state})
        self.notes = self.notes | notes

    def compare_validation(self, measured: list[float]) -> None:
        """Choose the best anew where the volumes are others than those that chose it so far."""
        if not measured or not measured[0]:  # there are none
            return
        known = self.validation and self.best is not None
        if known and compare_identities({"": self.validation}, {"": measured}):
            if get_rank() == 0:
                words = "other validation volumes than before: best.safetensors is chosen anew"
                print(f"note: {self.out}: {words}", file=sys.stderr)
            self.best = None
        self.validation = measured

    def save(self, kept: SuperResolver) -> None:
        """Write everything; ``kept`` is the network whose weights others will load."""
        if get_rank() > 0:
            return
        first = not (self.out / "state.pt").exists()
        if first:
            self._write_state()
        save(kept, self.out / "last.safetensors", **self.notes)
        with (
            atomic_path(self.out / "log.csv") as temporary,
            open(temporary, "w", newline="") as file,
        ):
            writer = csv.writer(file)
            writer.writerow(LOG)
            writer.writerows(self.rows)
        for name, text in self.texts.items():
            with atomic_path(self.out / name) as temporary:
                temporary.write_text(text, encoding="utf-8")
        self.texts = {}  # once is enough
        if not first:
            self._write_state()

    def _write_state(self) -> None:
        state = {name: part.state_dict() for name, part in self.parts.items()}
        state |= {name: getattr(self, name) for name in ("identity", "notes", *KEPT)}
        content = io.BytesIO()  # torch itself reports a full disk as an internal error
        torch.save(state, content)
        with atomic_path(self.out / "state.pt") as temporary:
            temporary.write_bytes(content.getbuffer())

    def record(self, kept: SuperResolver, rate: float, quality: float | None) -> list:
        """Add a row to the log, and keep the weights if they are the best so far."""
        loss = sum(self.losses) / len(self.losses)
        self.rows.append([self.step, round(loss, 5), rate, quality, round(self.seconds, 1)])
        self.losses = []
        if quality is not None and (self.best is None or quality > self.best):
            self.best = quality
            chosen = {"step": str(self.step), "selection": SELECTED, **self.notes}
            if get_rank() == 0:
                save(kept, self.out / "best.safetensors", **chosen)
        return self.rows[-1]


def read_state(file: Path) -> dict:
    """What ``Run.save`` kept, on the CPU, every byte as it was written. Raises InputError.

    >>> _ = Path("state.pt").write_bytes(b"not this")
    >>> read_state(Path("state.pt"))
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: state.pt: found a damaged file (BadZipFile: ...); expected ...

    torch writes a zip archive with check sums, and does not compare them when it reads.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if any(entry.compress_type for entry in archive.infolist()):  # torch stores
                raise zipfile.BadZipFile("compressed entries")
            if damaged := archive.testzip():
                raise zipfile.BadZipFile(f"the check sum of {damaged} differs")
        # To the CPU: every part moves what it needs. Adam's step counters belong there; on a GPU
        # each would cost a synchronisation for every parameter and step.
        state = torch.load(file, map_location="cpu", weights_only=True)
        check_state(state)
    except Exception as error:  # zipfile and torch promise no kind of error for a damaged file
        raise_if_out_of_memory(file, error)
        # torch's own words would have the reader load what may run code
        said = "torch refuses it" if "weights_only" in str(error) else str(error).split("\n")[0]
        found = f"a damaged file ({type(error).__name__}: {said})"[:200]
        expected = "the state of a training; start anew in another folder, from --init if you like"
        raise InputError(file, found, expected) from None
    return state


def check_state(state: Any) -> None:
    """Raise TypeError or ValueError unless this may be what a training has written.

    >>> check_state({"identity": 7})
    Traceback (most recent call last):
    ...
    TypeError: nothing of a training in it
    """
    if not isinstance(state, dict) or not isinstance(identity := state.get("identity"), dict):
        raise TypeError("nothing of a training in it")
    for name, kind in (KEPT | {"notes": dict}).items():
        added = name in ("validation", "notes") and name not in state  # since earlier states
        if not added and not isinstance(state[name], kind):
            raise TypeError(f"{name} is {state[name]!r}"[:80])
    if not 0 <= state["step"] <= identity.get("steps", inf):
        raise ValueError(f"step is {state['step']}")
    if not all(isinstance(row, list) and len(row) == len(LOG) for row in state["rows"]):
        raise ValueError("rows that are no rows of a log")
    if not all(isinstance(note, str) for note in state.get("notes", {}).values()):
        raise TypeError("notes that are no text")
    numbers = [*state["losses"], *state.get("validation", [])]
    if not all(isinstance(number, float) for number in numbers):
        raise TypeError("losses that are no numbers")


def check_weights(parts: dict) -> None:
    """Raise ValueError where a network among the parts holds a number that is not finite."""
    networks = (part for part in parts.values() if isinstance(part, nn.Module))
    if not all(value.isfinite().all() for part in networks for value in part.state_dict().values()):
        raise ValueError("weights that are no finite numbers")


def check_folder(out: str | Path, resume: bool) -> None:
    """Raise InputError where a training may not write: an earlier run, or files that it would replace.

    >>> _ = Path("last.safetensors").write_bytes(b"weights of another year")
    >>> check_folder(".", resume=True)
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: last.safetensors: found a file without a state.pt beside it; ...
    """
    out = Path(out)
    if (out / "state.pt").exists():
        if not resume:
            raise InputError(out, "an earlier run", "an empty folder, or --resume")
        return
    for name in WRITTEN:
        if (out / name).exists() or (out / name).is_symlink():
            found = "a file without a state.pt beside it"
            raise InputError(out / name, found, "another folder: this file would be overwritten")


@contextmanager
def hold_folder(out: str | Path) -> Iterator[None]:
    """Keep every other training out of the folder within the block, which may be nested.

    >>> with hold_folder("run"):
    ...     [path.name for path in Path("run").iterdir()]
    ['.lock']
    >>> Path("run").exists()
    False

    The operating system ends the lock with its process, however that ends. A folder that was made
    here and stayed empty is removed. Raises InputError where another training has the folder, and
    where it cannot be written.
    """
    if get_rank() > 0:  # the first process holds it for all
        yield
        return
    out = Path(out)
    check_writable(out)
    made = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out.resolve() / ".lock", timeout=0, is_singleton=True)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(out, "another training that writes there", "a folder of its own") from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise InputError(out, f"{error}", "a place that can be written") from error
        print(f"note: nothing keeps another training out of {out}: {error}", file=sys.stderr)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows keeps what is open
            if lock.lock_counter <= 1:
                (out / ".lock").unlink(missing_ok=True)
        lock.release()
        if made:
            with suppress(OSError):
                out.rmdir()


def read_log(path: str | Path) -> dict[str, list[float]]:
    """The columns of a log.csv, or of the log beside shipped weights; a number not taken is nan.

    >>> _ = Path("log.csv").write_text("step,loss,validation_psnr\\n250,0.2,\\n500,0.1,29.5\\n")
    >>> read_log("log.csv")
    {'step': [250.0, 500.0], 'loss': [0.2, 0.1], 'validation_psnr': [nan, 29.5]}

    Raises InputError when there is none.
    """
    if not Path(path).is_file():
        raise InputError(path, "no such file", "the log.csv of a training")
    with (
        refuse_errors(path, "the log.csv of a training"),
        open(path, newline="", encoding="utf-8") as file,
    ):
        reader = csv.DictReader(file, strict=True)
        rows = [*reader]
        names = reader.fieldnames or ()
        return {name: [float(row[name] or "nan") for row in rows] for name in names}


def average_weights(model: nn.Module, decay: float) -> torch.optim.swa_utils.AveragedModel:
    """The exponential moving average of the weights over about 1 / (1 - decay) steps.

    Early on it reaches back a tenth of the steps so far, so that it forgets where it started.
    """
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    def update(averages, current, count):
        share = min(decay, (1 + int(count)) / (10 + int(count)))
        get_ema_multi_avg_fn(share)(averages, current, count)

    return AveragedModel(model, multi_avg_fn=update)


def identify(recipe: Recipe, model: SuperResolver, data: Slices, steps: int, together: int) -> dict:
    """What two runs must share to be one; how a step of ``together`` slices is divided is not in it.

    Earlier states call two of the fields by other names.
    """
    earlier = {"vary": "variation", "loss": "squared"}
    said = {earlier.get(name, name): x for name, x in recipe.select("weights").items()}
    for name in ("finding", "patch"):  # which earlier states do not know
        if not said[name]:
            said.pop(name)
    said |= {"variation": [*recipe.vary], "squared": recipe.loss == "l2"}
    said |= {"steps": steps, "batch": together, "slices": len(data), "data": sample_means(data)}
    network = json.loads(json.dumps(asdict(model.config)))  # as it will be read
    return said | {f"network {name}": value for name, value in network.items()}


def compare_identities(one: dict, other: dict) -> dict[str, tuple]:
    """What two identities do not share; numbers measured from data may differ by rounding.

    >>> compare_identities({"seed": 0, "data": [1.0]}, {"seed": 1, "data": [1.000001]})
    {'seed': (0, 1)}
    """

    def alike(a, b) -> bool:
        measured = isinstance(a, list) and isinstance(b, list) and len(a) == len(b)
        if measured and all(isinstance(x, float) for x in a + b):
            return all(isclose(x, y, rel_tol=1e-4) for x, y in zip(a, b, strict=True))
        return a == b

    pairs = {k: (one.get(k), other.get(k)) for k in one | other}
    return {k: pair for k, pair in pairs.items() if not alike(*pair)}


@contextmanager
def catch_stop() -> Iterator[Callable[[], bool]]:
    """Within the block Ctrl-C (SIGINT), SIGTERM and the end of a terminal (SIGHUP) only ask; a
    second one interrupts at once.

    >>> with catch_stop() as asked:
    ...     signal.raise_signal(signal.SIGINT)
    ...     asked()
    True

    A step is then finished before it is saved. Elsewhere than in the main thread nothing is changed.
    """
    seen: list[int] = []

    def ask(number: int, frame) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    main = threading.current_thread() is threading.main_thread()
    signals = [signal.SIGINT, signal.SIGTERM] if main else []
    hung_up = getattr(signal, "SIGHUP", None)
    if main and hung_up and signal.getsignal(hung_up) != signal.SIG_IGN:  # nohup has it ignored
        signals.append(hung_up)
    before = {number: signal.signal(number, ask) for number in signals}
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
