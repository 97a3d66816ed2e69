"""How many steps a stage of the training gets: from what ran before it, and from the clock."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from .plan import Plan
from .record import write

MARGIN = 0.93  # of the steps that seem to fit: two parts of one run differed by 4 %


@dataclass(frozen=True)
class Stage:
    name: str
    varied: bool
    share: float  # of the time
    rate: float  # of the learning rate
    average: float


STAGES = (Stage("varied", True, 0.8, 1.0, 0.999), Stage("measured", False, 0.2, 0.5, 0.998))
PROBE = Stage("probe", True, 0.0, 1.0, 0.999)


@dataclass(frozen=True)
class Pace:
    """What a stage takes."""

    step: float  # seconds of one step
    other: float  # seconds of everything else: starting the workers, validating, saving

    def steps_in(self, seconds: float) -> int:
        return int(MARGIN * (seconds - self.other) / self.step)


def plan_steps(plan: Plan, where: Path, stage: Stage, seconds: float, stages: int) -> int:
    """As many as fit into the stage's share of what is left; the last one takes all of it."""
    pace, most = read_pace(where), int(stage.share * plan.most_steps)
    if stages > 1:
        # each stage has its own start, so that only what both leave is shared
        seconds = stage.share * (seconds - stages * pace.other) + pace.other
    return max(2, min(most, pace.steps_in(seconds)))


def read_pace(where: Path) -> Pace:
    return Pace(**json.loads((where / "pace.json").read_text()))


def write_pace(where: Path, pace: Pace) -> None:
    write(where / "pace.json", json.dumps(asdict(pace)))
