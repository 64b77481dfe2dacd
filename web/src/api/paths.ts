/** The addresses of the API that the pages use, as the server describes them. */

import type { components } from "./schema";

export type { paths } from "./schema";

export type SignIn = components["schemas"]["SignIn"];
export type SetUp = components["schemas"]["SetUp"];
