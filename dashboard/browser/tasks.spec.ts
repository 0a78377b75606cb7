// Work for a person: found in the inbox, taken, talked about, decided by its form.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Stage } from "./stage";
import { ASKS } from "./workflows";

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.set();
  stage.apply(ASKS);
});
afterEach(async () => {
  await stage.close();
  expect(stage.complaints.splice(0)).toEqual([]);
});
afterAll(() => stage.clear());

test("a task is taken, talked about and decided", async () => {
  const run = stage.start("asks");
  const page = await stage.open("/tasks");
  await page.getByRole("link", { name: "May the tea be bought?" }).click();
  await page.getByLabel(/Your name/).fill("ada");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Take it" }).click();
  await page.getByText("claimed").waitFor();
  await page.getByLabel("Say something").fill("we have none left");
  await page.getByRole("button", { name: "Comment" }).click();
  await page.getByText("we have none left").waitFor();

  await page.getByLabel("How many boxes").fill("3");
  await page.getByLabel(/As a gift/).check();
  await page.getByLabel(/Which/).selectOption("green");
  await page.getByRole("button", { name: "approved" }).click();
  await page.getByRole("heading", { name: "Decided by ada: approved" }).waitFor();
  const described = JSON.parse(stage.quadrille("get", "run", run, "-o", "json"));
  expect(described.state).toBe("completed");
  expect(described.output.decision).toMatchObject({
    outcome: "approved",
    data: { amount: 3, gift: true, kind: "green" },
  });
});
