import { expect, test } from "vitest";
import { cliOf, readQuery, termsOf, textOf, toggle } from "./query";

const NOW = Date.parse("2026-01-02T00:00:00Z");

test("a query becomes the filter that the server knows", () => {
  const { filter, flaws } = readQuery(
    'order-saga state:failed,incident label:team="a b" attribute:total=3 since:1d',
    NOW,
  );
  expect(flaws).toEqual([]);
  expect(filter).toEqual({
    workflow: "order-saga",
    state: ["failed", "incident"],
    label: ["team=a b"],
    attribute: ["total=3"],
    started_after: "2026-01-01T00:00:00.000Z",
  });
});

test("what is not understood is said, and the rest still counts", () => {
  const { filter, flaws } = readQuery("state:lost colour:red label:x since:soon workflow:", NOW);
  expect(filter).toEqual({});
  expect(flaws).toHaveLength(5);
});

test("text and terms are two forms of one thing", () => {
  const text = 'workflow:a label:"team=a b" state:failed';
  expect(termsOf(textOf(termsOf(text)))).toEqual(termsOf(text));
});

test("a chip adds its term and takes it away again", () => {
  const once = toggle("workflow:a", { name: "state", value: "failed" });
  expect(once).toBe("workflow:a state:failed");
  expect(toggle(once, { name: "state", value: "failed" })).toBe("workflow:a");
});

test("the command line quotes what a shell would read", () => {
  expect(cliOf({ workflow: "a", label: ["team=it's"] })).toBe(
    "quadrille list runs --workflow a --label 'team=it'\\''s'",
  );
});
