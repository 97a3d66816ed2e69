#!/bin/sh
# The shipped weights, from the package's anatomy and the open MS pairs: about three hours on one core
# (OMP_NUM_THREADS=1), in an environment with the package:
#     sh scripts/weights/train.sh OPEN_MS_FOLDER WORK_FOLDER
set -eu
source=$1
work=$2
make() { python scripts/weights/make.py "$@"; }
learn() { python -m dcamsr_lite train --validation "$work/held_out.csv" --batch 2 --bf16 "$@"; }

make prepare "$source" "$work" --keep-out p19
# other heads and scanners out of few
learn --out "$work/first" --vary --data simulated --data "$work/train.csv" --data "$work/whole.csv" \
  --subjects 6 --steps 4000 --rate 8e-4 --average 0.998 --every 400
learn --out "$work/second" --vary --data simulated --data "$work/train.csv" --data "$work/brain.csv" \
  --data "$work/brain.csv" --subjects 4 --init "$work/first/last.safetensors" \
  --steps 800 --rate 4e-4 --average 0.995 --every 200
# the slices as they were measured: simulated ones with coils, phase and noise
last() {
  learn --validation simulated --data simulated --data simulated --data "$work/train.csv" \
    --data "$work/brain.csv" --subjects 6 --every 200 "$@"
}
start="--init $work/second/last.safetensors --steps 800 --rate 4e-4 --average 0.995"
last --out "$work/4x" $start
make card lite-4x-footprints "$work/held_out.csv" "$work/first" "$work/second" "$work/4x"
last --out "$work/2x-first" --scale 2 $start
# half of them in other contrasts, which also means: from magnitude images
OMP_NUM_THREADS=2 last --out "$work/2x" --scale 2 --init "$work/2x-first/last.safetensors" \
  --vary contrast --steps 400 --rate 3e-4 --average 0.99
make card lite-2x-footprints "$work/held_out.csv" "$work/2x-first" "$work/2x"

# the three variants trained alike, on simulated heads alone
for variant in corrected released paper; do
  python -m dcamsr_lite train --preset lite --data simulated --validation simulated \
    --variant "$variant" --scale 4 --out "$work/$variant"
  make card "lite-4x-$variant" "$work/held_out.csv" "$work/$variant"
done

# the floor that a reference has to beat: the recipe of lite-4x-footprints without one, and with fewer steps
alone() { learn --set reference=false "$@"; }
alone --out "$work/alone-first" --vary --data simulated --data "$work/train.csv" --data "$work/whole.csv" \
  --subjects 6 --steps 2400 --until 1203 --rate 8e-4 --average 0.998 --every 400
alone --out "$work/alone-second" --vary --data simulated --data "$work/train.csv" --data "$work/brain.csv" \
  --data "$work/brain.csv" --subjects 4 --init "$work/alone-first/last.safetensors" \
  --steps 300 --rate 4e-4 --average 0.995 --every 150
alone --out "$work/alone" --validation simulated --data simulated --data simulated --data "$work/train.csv" \
  --data "$work/brain.csv" --subjects 6 --init "$work/alone-second/last.safetensors" \
  --steps 400 --rate 4e-4 --average 0.995 --every 200
make card lite-4x-no-reference "$work/held_out.csv" "$work/alone-first" "$work/alone-second" "$work/alone"
