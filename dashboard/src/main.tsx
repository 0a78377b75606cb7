// Owns the start of the page: data, preferences and routes around everything.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router";
import { Problem } from "./api/client";
import { PreferencesProvider } from "./preferences";
import { router } from "./routes";
import "./ui/theme.css";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // A refusal is an answer; only a server that is not there is asked again.
      retry: (count, error) => error instanceof Problem && error.status === 0 && count < 2,
      staleTime: 1_000,
    },
  },
});

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element #root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <PreferencesProvider>
        <RouterProvider router={router} />
      </PreferencesProvider>
    </QueryClientProvider>
  </StrictMode>,
);
