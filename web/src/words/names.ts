/** Words for the codes of the API: task kinds, actors, verbs, objects. */

const TASK_KINDS: Readonly<Record<string, string>> = {
  label: "Label",
  review: "Review",
  audit: "Label", // a blind check looks like any other task until it is answered
  adjudicate: "Decide between answers",
  compare: "Compare",
  approve: "Approve an action",
  appeal: "Appeal",
  sign_off: "Signature",
};

/** `sign_off` → `Sign off`, `threshold_score` → `Threshold score`. */
export function humanised(code: string): string {
  const text = code.replace(/[._-]+/g, " ").trim();
  return text === "" ? code : text.charAt(0).toUpperCase() + text.slice(1);
}

export function taskKind(kind: string): string {
  return TASK_KINDS[kind] ?? humanised(kind);
}

/** The last six characters of an id: the random end of a UUIDv7, enough to tell two apart on one page. */
export function shortId(id: string): string {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) ? id.slice(-6) : id;
}

/** A digest or commit id is told apart by its beginning. */
export function shortDigest(digest: string): string {
  const bare = digest.replace(/^sha256:/, "");
  return /^[0-9a-f]{16,}$/i.test(bare) ? bare.slice(0, 8) : digest;
}

export interface ActorLike {
  readonly kind: string;
  readonly name: string;
}

/** The command line of the server's own machine acts under this name in every journal. */
const LOCAL = "This computer";

/** The name of an actor with what it is when it is not a person: `rule audit-5`, `machine edge-1`. */
export function actorName({ kind, name }: ActorLike): string {
  if (kind === "machine" && name === LOCAL) return "this computer";
  if (kind === "rule" || kind === "machine") return name.startsWith(`${kind} `) ? name : `${kind} ${name}`;
  return name;
}

export function isSimulated(actor: { readonly kind: string }): boolean {
  return actor.kind === "simulated";
}
