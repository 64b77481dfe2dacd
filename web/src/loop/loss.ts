/** What the limit of a certificate is about. */

/** What alpha limits: a share of errors, or the mean of a declared loss. */
export function limited({ mode }: { readonly mode?: string }): string {
  return mode === "betting" ? "mean loss" : "error";
}
