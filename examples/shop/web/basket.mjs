// A basket as lines of text.

/** One line for each article, and the sum; prices in cents. */
export function lines(basket, prices) {
  const euros = (cents) => `${(cents / 100).toFixed(2)} €`;
  const items = Object.entries(basket).map(([article, pieces]) => ({ article, pieces, cost: prices[article] * pieces }));
  const sum = items.reduce((sum, item) => sum + item.cost, 0);
  return [...items.map((item) => `${item.pieces} × ${item.article}: ${euros(item.cost)}`), `total: ${euros(sum)}`];
}
