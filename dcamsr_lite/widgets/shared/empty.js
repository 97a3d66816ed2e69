// An explorer that has nothing to show: `widget` writes the message.
const { render, standalone } = widget(() => {});
export default { render };
