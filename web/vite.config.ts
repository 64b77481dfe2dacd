import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The built page is served under any path prefix: every address in it is relative to <base href>, which the server writes.
export default defineConfig({
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../src/handrail/ui_dist",
    emptyOutDir: true,
    sourcemap: false,
    assetsInlineLimit: 0, // a data: address would break font-src 'self'
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  server: { proxy: { "/api": process.env.HANDRAIL_URL ?? "http://127.0.0.1:8731" } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
