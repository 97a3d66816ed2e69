// The network on the processor.

import * as ort from "onnxruntime-web/wasm";

import { serve } from "./serve.js";

serve(ort, "ort-wasm-simd-threaded.wasm.gz");
