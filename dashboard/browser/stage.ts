// Owns what the tests play on: the real server on data of its own, the real command line, and a real browser.
//
// Invariant: nothing outlives its test file; no port is fixed, nothing waits for time.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const BINARY = named("QUADRILLE_BIN");
const BROWSER = named("QUADRILLE_BROWSER");

/** Headless, alone, and silent towards every other host. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What is set for another server must not reach this one. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("QUADRILLE_")),
);

function named(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`${variable} is not set; cargo xtask test sets it`);
  return value;
}

export class Stage {
  private readonly pages: Page[] = [];
  /** What pages complained about or asked of other hosts; a test that leaves any has failed. */
  readonly complaints: string[] = [];

  private constructor(
    private readonly folder: string,
    private readonly server: ChildProcess,
    private readonly browser: Browser,
    readonly url: string,
  ) {}

  static async set(): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), "quadrille-browser-"));
    const server = spawn(BINARY, ["server", "--port", "0", "--data", join(folder, "data")], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...environment, QUADRILLE_LOG_LEVEL: "warn" },
    });
    const url = await new Promise<string>((found, failed) => {
      server.once("exit", (code) => failed(new Error(`the server ended early (${code})`)));
      createInterface({ input: server.stdout }).on("line", (line) => {
        if (line.startsWith("listening on ")) found(line.slice("listening on ".length).trim());
      });
    });
    const browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS });
    return new Stage(folder, server, browser, url);
  }

  async clear(): Promise<void> {
    await this.browser.close();
    const over = new Promise((ended) => this.server.once("exit", ended));
    this.server.kill("SIGTERM");
    await over;
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What a command line prints. */
  quadrille(...line: string[]): string {
    return execFileSync(BINARY, line, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...environment, QUADRILLE_URL: this.url },
    });
  }

  /** Makes a workflow known. */
  apply(source: string): void {
    const file = join(this.folder, "workflow.yaml");
    writeFileSync(file, source);
    this.quadrille("apply", "-f", file);
  }

  /** Starts a run; its id. */
  start(workflow: string, input: unknown = {}, ...more: string[]): string {
    const line = ["run", workflow, "--input", JSON.stringify(input), "-o", "json", ...more];
    return JSON.parse(this.quadrille(...line)).id;
  }

  async context(options: Parameters<Browser["newContext"]>[0] = {}): Promise<BrowserContext> {
    const context = await this.browser.newContext({ baseURL: this.url, ...options });
    context.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        this.complaints.push(`${message.type()}: ${message.text()}`);
      }
    });
    context.on("weberror", (error) => this.complaints.push(`error: ${error.error().message}`));
    context.on("request", (request) => {
      if (!request.url().startsWith(this.url) && !request.url().startsWith("data:")) {
        this.complaints.push(`another host was asked: ${request.url()}`);
      }
    });
    return context;
  }

  /** A page of the dashboard. */
  async open(path: string, options: Parameters<Browser["newContext"]>[0] = {}): Promise<Page> {
    const page = await (await this.context(options)).newPage();
    this.pages.push(page);
    await page.goto(path);
    return page;
  }

  /** Closes what a test opened. */
  async close(): Promise<void> {
    for (const page of this.pages.splice(0)) await page.context().close();
  }
}
