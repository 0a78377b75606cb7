// One run as a person sees it: started, watched live, helped, ended.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Stage } from "./stage";
import { PARKS, WAITS } from "./workflows";

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.set();
  for (const source of [WAITS, PARKS]) stage.apply(source);
});
afterEach(async () => {
  await stage.close();
  expect(stage.complaints.splice(0)).toEqual([]);
});
afterAll(() => stage.clear());

test("a run is started, watched and given the word it waits for", async () => {
  const page = await stage.open("/workflows/waits");
  await page.getByRole("button", { name: "Start a run" }).click();
  await page.getByLabel("Input").fill('{"order": 7}');
  await page.getByLabel("Business key").fill("order-7");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.getByRole("heading", { name: "order-7" }).waitFor();
  await page.getByRole("status").getByText("live").waitFor();
  await page.getByRole("row", { name: /hear/ }).waitFor();

  const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  await page.getByRole("link", { name: "Timeline" }).click();
  stage.quadrille("signal", id, "go", "--data", '{"word": "go"}');
  await page.getByRole("status").getByText("complete").waitFor();
  await page.getByText("completed").first().waitFor();
  await page.getByRole("link", { name: "Data" }).click();
  await page.getByText('"word": "go"').waitFor();
});

test("a run that needs help is found, tried again, and ended with a reason", async () => {
  const id = stage.start("parks");
  const page = await stage.open("/incidents");
  await page.getByRole("heading", { name: "in work" }).waitFor();
  await page.goto(`/runs/${id}`);
  await page.getByText("incident", { exact: true }).first().waitFor();
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Retry" }).click();
  await page.getByRole("link", { name: "Events", exact: true }).click();
  await page.getByText("retried on request").first().waitFor();
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Cancel…" }).click();
  await page.getByLabel("Reason").fill("no longer wanted");
  await page.getByRole("button", { name: "Cancel run" }).click();
  await page.getByText("cancelled", { exact: true }).first().waitFor();
  expect(stage.quadrille("describe", "run", id)).toContain("no longer wanted");
});

test("by keys alone: to the runs, narrowed, into one, to its timeline, and out again", async () => {
  const id = stage.start("waits", {}, "--key", "by-keys");
  const page = await stage.open("/");
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.keyboard.type("gr");
  await page.getByRole("heading", { name: "Runs" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("workflow:waits state:waiting");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=/);
  const link = page.getByRole("link", { name: "by-keys" });
  await link.waitFor();
  for (let presses = 0; !(await link.evaluate((one) => one === document.activeElement)); presses += 1) {
    expect(presses, "Tab leads to the run").toBeLessThan(60);
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await page.waitForURL(new RegExp(id));
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").waitFor();
  await page.keyboard.type("incid");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Incidents" }).waitFor();
});
