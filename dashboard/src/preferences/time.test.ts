import { expect, test } from "vitest";
import { duration } from "./time";

test("a duration shows its two largest units", () => {
  expect([0, 67, 1_250, 59_900, 61_000, 3_600_000, 90_061_000].map(duration)).toEqual([
    "0 ms",
    "67 ms",
    "1.3 s",
    "60 s",
    "1 min 1 s",
    "1 h",
    "1 d 1 h",
  ]);
});
