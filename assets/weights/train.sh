#!/bin/sh
# The shipped weights, from the packages' anatomy and the open MS pairs: about 45 minutes on two cores.
#     sh assets/weights/train.sh OPEN_MS_FOLDER WORK_FOLDER
set -eu
source=$1
work=$2
make() { python assets/weights/make.py "$@"; }
learn() { python -m dcamsr_lite train --validation "$work/held_out.csv" --batch 2 --bf16 --vary mirror,contrast "$@"; }

make prepare "$source" "$work"
learn --out "$work/4x-first" --data simulated --subjects 8 --data "$work/train.csv" \
  --steps 4000 --until 3000 --rate 7e-4
one="--data $work/whole.csv"
mixed="$one $one $one --data $work/train.csv --data simulated --subjects 4 --rate 5e-4"
learn --out "$work/4x" --init "$work/4x-first/last.safetensors" $mixed --steps 600
make card lite-4x "$work/held_out.csv" "$work/4x-first" "$work/4x"
learn --out "$work/2x" --init "$work/4x/last.safetensors" $mixed --steps 400 --scale 2
make card lite-2x "$work/held_out.csv" "$work/2x"
