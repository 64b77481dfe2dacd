import "./kit/fonts.css";
import "./kit/tokens.css";
import "./kit/components.css";
import "./kit/app.css";

import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { newQueryClient, sessionQuery } from "./api/queries";
import { makeRouter } from "./app/router";

const queries = newQueryClient(() => {
  // The session ended while a page was open: forget it, and the guard of the routes leads to sign-in and back.
  queries.removeQueries({ queryKey: sessionQuery.queryKey });
  void router.invalidate();
});
const router = makeRouter(queries);

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with the id root");
createRoot(root).render(
  <QueryClientProvider client={queries}>
    <RouterProvider router={router} />
  </QueryClientProvider>,
);
