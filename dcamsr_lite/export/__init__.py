"""Networks as ONNX files, whose attention is switched by inputs, for other programs and browsers."""
