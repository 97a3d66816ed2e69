"""What tests and doctests share: a folder to write in, a seed, small images and volumes.

torch loads where tests run, not in the process that hands them out.
"""

import gc
import os

os.environ.setdefault("MPLBACKEND", "Agg")
if "PYTEST_XDIST_WORKER" in os.environ:  # one thread a worker, and in what it starts
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent

# A slow moment of a shared machine is no failure; runs are the same each time. `make test-slow` asks
# for more examples with --hypothesis-profile=thorough.
PATIENT = dict(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", **PATIENT, derandomize=True, max_examples=20)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=200)
settings.load_profile("quick")


def pytest_collect_file(file_path):
    """A module's package comes first, as with `import`: pytest would run twice what that imports."""
    if file_path.suffix == ".py" and ROOT / "dcamsr_lite" in file_path.parents:
        import_module(".".join(file_path.parent.relative_to(ROOT).parts))


def pytest_collection_finish():
    """What is loaded by now stays to the end: no search for garbage goes through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def a_simulated_anatomy_is_made_once():
    """It takes seconds and depends on the seed alone: the last six used are kept."""
    import torch

    from dcamsr_lite.phantom import anatomy, head
    from dcamsr_lite.phantom.sequences import PROTOCOL

    kept = {}

    def tissue_signals(draw, contrasts):
        seed = draw.generator.get_state().numpy().tobytes()
        key = seed, torch.is_inference_mode_enabled()
        if key not in kept:
            made = anatomy.tissue_signals(draw, [*PROTOCOL])
            kept[key] = *made, draw.generator.get_state()
        signals, lesions, after = kept[key] = kept.pop(key)  # the last one now
        if len(kept) > 6:
            kept.pop(next(iter(kept)))
        draw.generator.set_state(after)
        return {contrast: signals[contrast] for contrast in contrasts}, lesions

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(head, "tissue_signals", tissue_signals)
        yield


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    """Doctests and tests write where they stand."""
    import torch

    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)


@pytest.fixture
def shared():
    from helpers import SHARED

    if not SHARED.is_dir():
        pytest.skip("no folder `shared` with development data beside the checkout")
    return SHARED


@pytest.fixture
def images():
    """(lr, ref): two normalised random images at 4x, 32 x 32."""
    import torch

    generator = torch.Generator().manual_seed(1)
    lr = torch.randn(2, 1, 8, 8, generator=generator)
    return lr, torch.randn(2, 1, 32, 32, generator=generator)


@pytest.fixture
def volumes(tmp_path):
    """A reference and a target volume as .npy files, (3, 32, 32): smooth blobs in their own units."""
    import numpy as np

    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[:32, :32] / 32
    files = []
    for name in ("t1.npy", "t2.npy"):
        waves = [np.sin(rng.uniform(3, 20, 2) @ [rows.ravel(), columns.ravel()]) for _ in range(3)]
        np.save(
            tmp_path / name, (500 * (1.2 + np.array(waves))).reshape(3, 32, 32).astype(np.float32)
        )
        files.append(tmp_path / name)
    return files


@pytest.fixture
def weights(tmp_path):
    """The file of an untrained network for images of 32 x 32."""
    import dcamsr_lite as dl

    path = tmp_path / "untrained.safetensors"
    dl.save(dl.DCAMSR(image_size=32), path)
    return path


@pytest.fixture
def readonly(tmp_path):
    """A folder that nobody can write into, root not excepted: it is a file."""
    path = tmp_path / "a_file"
    path.write_text("here already")
    return path
