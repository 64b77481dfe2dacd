/** The addresses of the API that the pages use: as the server describes them, and those it is about to have. */

import type { Dossier } from "./contract";
import type { components, paths as described } from "./schema";

export type SignIn = components["schemas"]["SignIn"];
export type SetUp = components["schemas"]["SetUp"];

interface Coming {
  "/api/v1/projects/{project}/decisions/{decision_id}/dossier": {
    get: {
      parameters: { path: { project: string; decision_id: string } };
      responses: { 200: { content: { "application/json": Dossier } } };
    };
  };
}

export type paths = described & Omit<Coming, keyof described>;
