// Files of the site are packed by gzip: a plain file server would send them as they are.

/**
 * What a file holds; one that the browser has unpacked already, by the server's headers, is left as it is.
 * @param {Blob} file
 */
export async function unzip(file) {
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const packed = first === 0x1f && second === 0x8b;
  if (packed && typeof DecompressionStream !== "function")
    throw new Error("this browser cannot unpack its files, a current one can");
  return new Response(packed ? file.stream().pipeThrough(new DecompressionStream("gzip")) : file);
}
