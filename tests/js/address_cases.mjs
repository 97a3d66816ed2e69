// What the live page reads from addresses, for tests/website/test_links.py, and the addresses that it writes of it.
import { readFileSync } from "node:fs";

import { readAddress, writeAddress } from "../../website/live/address.js";

const { info, addresses } = JSON.parse(readFileSync(0, "utf8"));
const told = addresses.map((address) => {
  const found = readAddress(address, info);
  const written = writeAddress(4, found.intervention ?? info.blank, info.blank, found.look);
  return { ...found, again: readAddress(written, info) };
});
process.stdout.write(JSON.stringify(told));
