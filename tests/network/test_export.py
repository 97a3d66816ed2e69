"""A network leaves torch as a graph of real numbers, which ONNX and browsers can run."""

import pytest
import torch
from helpers import awake

import dcamsr_lite as dl
from dcamsr_lite import kspace as ks


@pytest.mark.parametrize(("shape", "scale"), [((16, 16), 4), ((9, 14), 2), ((1, 8), 3)])
def test_exported_zero_fill_is_the_fourier_one(shape, scale):
    class ZeroFill(torch.nn.Module):
        def forward(self, low):
            return ks.upsample_fourier(low, scale)

    low = torch.randn(2, *shape)
    graph = torch.export.export(ZeroFill(), (low,))
    assert not any("fft" in str(node.target) for node in graph.graph.nodes)
    torch.testing.assert_close(
        graph.module()(low), ks.upsample_fourier(low, scale), rtol=0, atol=1e-5
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # of torch's own exporter
@pytest.mark.parametrize("variant", ["corrected", "released", "aligned"])
def test_onnx_gives_what_the_network_gives(variant, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra [onnx]")
    pytest.importorskip("onnxscript", reason="needs the extra [onnx]")
    sizes = {"image_size": 32, "channels": 8, "heads": 2, "tokens": 16}
    model = awake(dl.DCAMSR(scale=4, variant=variant, **sizes)).eval()
    inputs = {"lr": torch.randn(1, 1, 8, 8), "ref": torch.randn(1, 1, 32, 32)}
    torch.onnx.export(
        model,
        tuple(inputs.values()),
        tmp_path / "model.onnx",
        input_names=[*inputs],
        dynamo=True,
        verbose=False,
    )
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    (sr,) = session.run(None, {name: x.numpy() for name, x in inputs.items()})
    with torch.inference_mode():
        torch.testing.assert_close(torch.from_numpy(sr), model(**inputs), rtol=0, atol=1e-4)
