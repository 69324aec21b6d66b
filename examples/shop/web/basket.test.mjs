import assert from "node:assert";
import test from "node:test";

import { lines } from "./basket.mjs";

test("a basket has a line for each article and a total", () => {
  const shown = lines({ rope: 2, hook: 1 }, { rope: 450, hook: 99 });
  assert.deepEqual(shown, ["2 × rope: 9.00 €", "1 × hook: 0.99 €", "total: 9.99 €"]);
});
