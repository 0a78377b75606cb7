// Every page, in both themes, wide and narrow: nothing that keeps people out, no complaint of the browser, no other host.
import AxeBuilder from "@axe-core/playwright";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Stage } from "./stage";
import { ASKS, FAILS, HOSTILE_TEXT, PARKS, WAITS } from "./workflows";

let stage: Stage;
let waiting: string;
let failed: string;
let parked: string;

beforeAll(async () => {
  stage = await Stage.set();
  for (const source of [WAITS, PARKS, FAILS, ASKS]) stage.apply(source);
  waiting = stage.start("waits", { order: 7 }, "--label", "team=blue");
  failed = stage.start("fails", { text: HOSTILE_TEXT }, "--key", HOSTILE_TEXT.replace("\u0000", ""));
  parked = stage.start("parks");
  stage.start("asks");
});
afterEach(async () => {
  await stage.close();
  expect(stage.complaints.splice(0)).toEqual([]);
});
afterAll(() => stage.clear());

const pages = () => [
  "/",
  "/runs",
  "/runs?q=state:failed",
  `/runs/${waiting}`,
  `/runs/${waiting}?tab=graph`,
  `/runs/${waiting}?tab=timeline`,
  `/runs/${waiting}?tab=events`,
  `/runs/${waiting}?tab=data`,
  `/runs/${failed}`,
  `/runs/${parked}?tab=timeline&step=1`,
  "/incidents",
  "/tasks",
  "/workflows",
  "/workflows/waits",
  "/workflows/waits?tab=text",
  "/schedules",
  "/signals",
  "/settings",
  "/nothing-is-here",
];

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 400]) {
    test(`no page keeps anyone out, ${colorScheme}, ${width} wide`, async () => {
      const page = await stage.open("/", { colorScheme, viewport: { width, height: 800 } });
      for (const path of pages()) {
        await page.goto(path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.getByText(/^Loading /).waitFor({ state: "detached" });
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(
          (one) => `${path}: ${one.id} (${one.impact}) ${one.nodes[0]?.html} ${one.nodes[0]?.failureSummary}`,
        );
        expect(found).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(overflow, `${path} is wider than the window`).toBeLessThanOrEqual(0);
      }
    });
  }
}

test("data from outside is only ever text", async () => {
  const page = await stage.open("/");
  for (const path of [
    "/",
    "/runs",
    `/runs/${failed}`,
    `/runs/${failed}?tab=events`,
    `/runs/${failed}?tab=data`,
  ]) {
    await page.goto(path);
    await page.getByText("<img src=x").first().waitFor();
    expect(await page.evaluate(() => (window as { hurt?: number }).hurt)).toBeUndefined();
    expect(await page.locator('img[src="x"]').count()).toBe(0);
  }
});

test("the first load is within its budget", async () => {
  const page = await stage.open("about:blank");
  const sizes: number[] = [];
  page.on("response", async (response) => sizes.push(Number(response.headers()["content-length"] ?? 0)));
  await page.goto("/", { waitUntil: "networkidle" });
  const scripts = await page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .map((entry) => (entry as PerformanceResourceTiming).encodedBodySize),
  );
  const kib = scripts.reduce((sum, size) => sum + size, 0) / 1024;
  expect(scripts.length).toBeGreaterThan(1);
  expect(kib).toBeLessThanOrEqual(350);
});
