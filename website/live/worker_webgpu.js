// The network on a graphics processor, or on the processor where that fails.

import * as ort from "onnxruntime-web/jspi";

import { serve } from "./serve.js";

serve(ort, "ort-wasm-simd-threaded.jspi.wasm.gz");
