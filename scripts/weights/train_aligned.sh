#!/bin/sh
# The weights of the variant aligned, from lite-4x-footprints and the data of train.sh: about four hours on one core
# (OMP_NUM_THREADS=1), in an environment with the package:
#     sh scripts/weights/train_aligned.sh OPEN_MS_FOLDER WORK_FOLDER
# The order of what lite-4x went through; three of its stages were stopped half-way (see README.md). In the first six a
# query's votes were added up for each offset, since then they elect a motion; in the first eight (five of lite-2x) four
# pixels shared a place, since then a spline reads it; in all but the last, queries at the border voted, too. With today's
# code those stages go another way.
set -eu
source=$1
work=$2
make() { python scripts/weights/make.py "$@"; }
learn() { python -m dcamsr_lite train --variant aligned --validation "$work/held_out.csv" --batch 2 --average 0.995 --every 100 "$@"; }

make prepare "$source" "$work" --keep-out p19
vary() {
  learn --vary geometry,mirror,contrast,curve,misalignment --data simulated --data "$work/train.csv" \
    --data "$work/brain.csv" --subjects 4 "$@"
}
vary --out "$work/aligned-1" --init lite-4x-footprints --steps 2000 --rate 6e-4 --until 700
make sharpen "$work/aligned-1/last.safetensors" 100 150 "$work/sharper-2.safetensors"
vary --out "$work/aligned-2" --init "$work/sharper-2.safetensors" --steps 1400 --rate 5e-4 --until 770
make sharpen "$work/aligned-2/last.safetensors" 300 300 "$work/sharper-3.safetensors"
vary --out "$work/aligned-3" --init "$work/sharper-3.safetensors" --steps 800 --rate 4e-4
make sharpen "$work/aligned-3/last.safetensors" 400 100 "$work/sharper-4.safetensors"
# the slices as they were measured, the references displaced
measured() {
  learn --vary misalignment --validation simulated --data simulated --data simulated --data "$work/train.csv" \
    --data "$work/brain.csv" --subjects 6 --rate 4e-4 "$@"
}
measured --out "$work/aligned-4" --init "$work/sharper-4.safetensors" --steps 600
# what is found, beside how far the reference was moved, as a second loss
vary --out "$work/aligned-5" --init "$work/aligned-4/last.safetensors" --finding 0.1 --steps 1500 --rate 5e-4 \
  --until 900
measured --out "$work/aligned" --init "$work/aligned-5/last.safetensors" --finding 0.1 --steps 700
# the votes elect a motion; squares of heads of four sizes
for matrix in 192 240 320; do make prepare "$source" "$work/$matrix" --keep-out p19 --matrix $matrix; done
make sharpen "$work/aligned/last.safetensors" 500 30 "$work/sharper-7.safetensors"
squares() {
  learn --patch 128 --finding 0.1 --data "$work/train.csv" --data "$work/192/train.csv" --data "$work/240/train.csv" \
    --data "$work/320/train.csv" --data "$work/brain.csv" --data "$work/240/brain.csv" "$@"
}
squares --vary geometry,mirror,contrast,curve,misalignment --data simulated --subjects 4 \
  --out "$work/aligned-7" --init "$work/sharper-7.safetensors" --steps 800 --rate 5e-4
squares --vary misalignment --data simulated --data simulated --subjects 6 --validation simulated \
  --out "$work/aligned-8" --init "$work/aligned-7/last.safetensors" --steps 500 --rate 4e-4
# read by a spline; at last without the votes at the border
mixed() {
  learn --patch 128 --vary misalignment --data simulated --data simulated --data "$work/train.csv" \
    --data "$work/192/train.csv" --data "$work/240/train.csv" --data "$work/320/train.csv" --data "$work/brain.csv" \
    --data "$work/240/brain.csv" --subjects 6 --validation simulated --finding 0.3 --average 0.99 "$@"
}
mixed --out "$work/aligned-9" --init "$work/aligned-8/last.safetensors" --steps 600 --rate 4e-4
mixed --out "$work/aligned-10" --init "$work/aligned-9/last.safetensors" --steps 400 --rate 4e-4
make card lite-4x "$work/held_out.csv" "$work/aligned-1" "$work/aligned-2" "$work/aligned-3" "$work/aligned-4" \
  "$work/aligned-5" "$work/aligned" "$work/aligned-7" "$work/aligned-8" "$work/aligned-9" "$work/aligned-10" \
  --at "$work/192" "$work/240" "$work/320"

# 2x: what aligning has changed at 4x is added to lite-2x-footprints, which comes from the same start
make carry "$work/aligned-7/last.safetensors" lite-4x-footprints lite-2x-footprints 0.7 "$work/2x-start.safetensors"
squares --scale 2 --vary contrast,misalignment --data simulated --data simulated --subjects 6 --validation simulated \
  --out "$work/2x-aligned-1" --init "$work/2x-start.safetensors" --steps 700 --rate 4e-4
make mix "$work/2x-aligned-1/last.safetensors" lite-2x-footprints 0.2 "$work/2x-mixed.safetensors"
measured2() {
  learn --scale 2 --patch 128 --finding 0.1 --average 0.99 --data simulated --data "$work/train.csv" \
    --data "$work/192/train.csv" --data "$work/240/train.csv" --data "$work/320/train.csv" --data "$work/brain.csv" \
    --data "$work/240/brain.csv" --subjects 6 --validation simulated "$@"
}
measured2 --vary misalignment --data "$work/brain.csv" --out "$work/2x-aligned-2" --init "$work/2x-mixed.safetensors" \
  --steps 350 --rate 3e-4
# people's files are magnitude images: with many of them, two fifths of what that changes, and both kinds
make magnitudes "$work/magnitude"
magnitude="$work/magnitude/train.csv"
measured2 --vary contrast,misalignment --data "$magnitude" --data "$magnitude" --out "$work/2x-aligned-3" \
  --init "$work/2x-aligned-2/last.safetensors" --steps 500 --rate 3e-4
make mix "$work/2x-aligned-2/last.safetensors" "$work/2x-aligned-3/last.safetensors" 0.4 "$work/2x-between.safetensors"
measured2 --vary misalignment --data "$magnitude" --data simulated --out "$work/2x-aligned-4" --init "$work/2x-between.safetensors" \
  --steps 300 --rate 2e-4
mixed --scale 2 --data "$magnitude" --out "$work/2x-aligned" --init "$work/2x-aligned-4/last.safetensors" --steps 450 --rate 3e-4
make card lite-2x "$work/held_out.csv" "$work/2x-aligned-1" "$work/2x-aligned-2" "$work/2x-aligned-3" "$work/2x-aligned-4" \
  "$work/2x-aligned" --at "$work/192" "$work/240" "$work/320"
