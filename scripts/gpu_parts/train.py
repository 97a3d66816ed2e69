"""full at 4x by train() itself, in the minutes that are left; judged on what it never saw.

The steps of a stage are computed when it starts, from what ran before it and from the clock, so that
its schedule ends: the rates of the first from a short probe, those of the second from the first.
"""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch

import dcamsr_lite as dl
from dcamsr_lite.data.pairs import Pair
from dcamsr_lite.errors import InputError
from dcamsr_lite.metrics import score
from dcamsr_lite.training.dataset import StoredSlices
from dcamsr_lite.training.loop import train

from .data import held_out
from .pace import PROBE, STAGES, Pace, Stage, plan_steps, read_pace, write_pace
from .plan import SCALE, SEED, Plan
from .record import Clock, OutOfTime, Record, alarm, read_table, write, write_table

EVALUATION = 25.0  # seconds for judging and writing the trained network


def train_full(plan: Plan, record: Record, clock: Clock) -> None:
    """Both stages and the judgement; another rate where a number was not finite."""
    folder = plan.work / "slices"
    simulated, real = (
        sorted(folder.glob(f"{kind}-*.safetensors")) for kind in ("simulated", "real")
    )
    data = StoredSlices(simulated + plan.real_share * real)
    record.add(data={
        "simulated": f"{len(simulated)} heads, seeds from 0, {plan.slices} slices of each",
        "real": f"{[f.stem for f in real]}, {plan.real_share} times as often", "slices": len(data),
        "note": "every slice also mirrored; bright ones only, as dataset.cut_pair has it",
    })  # fmt: skip
    for rate in plan.rates:
        try:
            stopped = run_stages(plan, record, clock, data, rate)
            break
        except InputError as error:  # train() found a number that is not finite
            if "finite" not in str(error) or rate == plan.rates[-1]:
                raise
            record.add(**{f"failed at {rate}": str(error)})
    judge(plan, record, rate)
    if stopped:
        raise OutOfTime(f"{stopped}; started again it goes on")


def run_stages(plan: Plan, record: Record, clock: Clock, data, rate: float) -> str | None:
    """Train both stages; what was not reached in time, or None."""
    where = plan.work / f"train-{rate:g}"
    validation = list(held_out(plan, few=True).values())
    start = trainer(plan, data, validation, rate)
    record.add(rate=rate, batch=plan.batch, stages=[asdict(stage) for stage in STAGES])
    if not (where / "pace.json").is_file():
        shutil.rmtree(where / "probe", ignore_errors=True)
        with alarm(60 * plan.patience):
            run_stage(PROBE, plan.probe, plan.network("full"), where, start)
    before = None
    for number, stage in enumerate(STAGES):
        planned = where / f"{stage.name}.json"
        if not planned.is_file():  # a stage that goes on keeps its steps
            steps = plan_steps(plan, where, stage, clock.left() - EVALUATION, len(STAGES) - number)
            write(planned, json.dumps({"steps": steps} | asdict(read_pace(where))))
        planned = json.loads(planned.read_text())
        model = plan.network("full")
        if before:
            model.load_state_dict(dl.load(before / "last.safetensors").state_dict())
        before = where / stage.name
        try:
            with alarm(clock.left() - EVALUATION, interrupt=True):
                run_stage(stage, planned["steps"], model, where, start)
        except KeyboardInterrupt:
            if clock.left() > EVALUATION + 1:
                raise  # somebody else's
            done = torch.load(before / "state.pt", map_location="cpu", weights_only=True)["step"]
            return f"stage {stage.name} stopped after {done} of its {planned['steps']} steps"
        finally:
            rows = read_table(before / "log.csv")
            record.add(**{f"stage {stage.name}": {"planned": planned, "log": rows}})
    return None


def trainer(plan: Plan, data, validation: list[Pair], rate: float) -> Callable:
    """train() with all that the stages share."""

    def start(stage: Stage, steps: int, model: dl.DCAMSR, out: Path) -> None:
        train(
            model, data, out, validation=validation, every=max(1, steps // 8), steps=steps,
            batch=plan.batch, rate=stage.rate * rate, schedule="cosine", vary=stage.varied,
            average=stage.average, seed=SEED, bf16=True, device=plan.device,
            workers=plan.processes, progress=False, resume=True,
        )  # fmt: skip

    return start


def run_stage(stage: Stage, steps: int, model: dl.DCAMSR, where: Path, start: Callable) -> None:
    """One stage, or the probe; what it took goes to pace.json, for the next one."""
    out, began = where / stage.name, time.monotonic()
    goes_on = bool(read_table(out / "log.csv"))
    start(stage, steps, model, out)
    if goes_on:  # this run saw a part only
        return
    # The first line holds what happens once: workers that start, kernels that are chosen.
    first, *_, last = read_table(out / "log.csv")
    step = float(last["seconds"]) - float(first["seconds"])
    step = max(step / (int(last["step"]) - int(first["step"])), 1e-3)
    write_pace(where, Pace(step, max(0.0, time.monotonic() - began - steps * step)))


def judge(plan: Plan, record: Record, rate: float) -> None:
    """Write full-4x.safetensors and its log, and score the file as others will load it."""
    where = plan.work / f"train-{rate:g}"
    folders = [where / stage.name for stage in STAGES]
    folders = [folder for folder in folders if (folder / "last.safetensors").is_file()]
    trained = dl.load(folders[-1] / "last.safetensors")
    notes = {"seed": str(SEED), "batch": str(plan.batch), "rate": str(rate), "loss": "l1"}
    dl.save(trained, plan.out / "full-4x.safetensors", **notes)
    rows = [
        {"stage": i, **row}
        for i, folder in enumerate(folders, 1)
        for row in read_table(folder / "log.csv")
    ]
    write_table(plan.out / "full-4x.csv", rows)
    model = dl.load(plan.out / "full-4x.safetensors").to(plan.device)
    record.add(weights="full-4x.safetensors", parameters=sum(p.numel() for p in model.parameters()))
    for name, pair in held_out(plan).items():
        known = json.loads((plan.work / "held_out" / f"{name}.json").read_text())
        known["dcamsr"] = score(pair.target_image, dl.super_resolve(model, pair, batch=4), SCALE)
        for method, result in known.items():
            numbers = {m: result[m] for m in ("psnr", "ssim", "nmse")}
            record.row(data=name, method=method, slices=len(pair.lr), **numbers)
