// An explorer that has nothing to show: `widget` writes the message.

import { widget } from "./page.js";

const { render, standalone } = widget(() => {}, "empty");
export { standalone };
export default { render };
