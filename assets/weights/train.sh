#!/bin/sh
# The shipped weights, from the package's anatomy and the open MS pairs: about an hour on one core.
#     sh assets/weights/train.sh OPEN_MS_FOLDER WORK_FOLDER
set -eu
source=$1
work=$2
make() { python assets/weights/make.py "$@"; }
learn() {
  python -m dcamsr_lite train --validation "$work/held_out.csv" --batch 2 --bf16 --vary \
    --data simulated --data "$work/train.csv" "$@"
}

make prepare "$source" "$work" --keep-out p19
learn --out "$work/4x-first" --data "$work/whole.csv" --subjects 6 --steps 4000 --rate 8e-4 \
  --average 0.998 --every 400
brains="--data $work/brain.csv --data $work/brain.csv --subjects 4 --rate 4e-4 --average 0.995"
learn --out "$work/4x" --init "$work/4x-first/last.safetensors" $brains --steps 800 --every 200
make card lite-4x "$work/held_out.csv" "$work/4x-first" "$work/4x"
learn --out "$work/2x" --init "$work/4x/last.safetensors" $brains --steps 800 --every 200 --scale 2
make card lite-2x "$work/held_out.csv" "$work/2x"
