// How the dashboard is built: one page, no request to any other host, heavy parts in chunks of their own, and beside
// every text file the same compressed, as the server sends it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

// While developing, everything that is not a page is asked of a running server.
const server = process.env.QUADRILLE_URL ?? "http://127.0.0.1:8080";

const folder = "dist/app";

/** Compresses once, with care, what would be compressed for each reader in haste. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        if (!/\.(js|css|svg)$/.test(file)) continue;
        const path = join(folder, file);
        writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path)));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), compressed()],
  // Relative, so that it works below a path of a reverse proxy too.
  base: "./",
  build: {
    outDir: folder,
    target: "es2023",
    assetsInlineLimit: 0,
    sourcemap: false,
    chunkSizeWarningLimit: 1000,
  },
  server: { proxy: { "/api": server, "/healthz": server, "/readyz": server, "/metrics": server } },
});
