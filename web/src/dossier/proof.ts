/** Checks in the browser that a journal entry stands in the signed log: RFC 9162 inclusion, C2SP signed note with Ed25519. */

import type { ObjectIds } from "../api/contract";
import { type Payload, sentenceOf } from "../journal/sentence";
import { isJson, type Json } from "./cell";

/** An entry as the dossier carries it, with its way to the root. */
export interface Proof {
  readonly entry: readonly unknown[]; // id, microseconds, actor kind, actor id, actor name, project, verb, objects
  readonly commitment: string;
  readonly index: number;
  readonly size: number;
  readonly path: readonly string[];
  readonly checkpoint: string;
  readonly verifier: string;
}

export interface ProvenEntry {
  readonly index: number;
  readonly time: string;
  readonly actor: { readonly kind: string; readonly name: string };
  readonly sentence: string;
  readonly objects: ObjectIds;
  readonly proof: Proof | null;
}

export type Checked =
  | { readonly state: "verified"; readonly text: string }
  | { readonly state: "failed"; readonly text: string }
  | { readonly state: "unchecked"; readonly text: string };

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function proofOf(sent: Json): Proof | null {
  const { entry, commitment, index, size, path, checkpoint, verifier } = sent;
  if (!Array.isArray(entry) || !isTexts(path) || typeof index !== "number" || typeof size !== "number") return null;
  if (typeof commitment !== "string" || typeof checkpoint !== "string" || typeof verifier !== "string") return null;
  return { entry, commitment, index, size, path, checkpoint, verifier };
}

/** The journal entries of a dossier; what is no entry is left out. */
export function entriesOf(dossier: Json): readonly ProvenEntry[] {
  const sent = Array.isArray(dossier.entries) ? dossier.entries.filter(isJson) : [];
  return sent.flatMap((one) => {
    const proof = proofOf(one);
    if (proof === null) return [];
    const [, micros, kind, , name, , verb, objects] = proof.entry;
    const payload: Payload = isJson(one.payload) ? one.payload : {};
    return [
      {
        index: proof.index,
        time: typeof micros === "number" ? new Date(micros / 1000).toISOString() : "",
        actor: { kind: String(kind), name: String(name) },
        sentence: one.payload === null ? "what this entry said was erased" : sentenceOf(String(verb), payload),
        objects: isJson(objects) ? objects : {},
        proof,
      },
    ];
  });
}

type Bytes = Uint8Array<ArrayBuffer>;

function bytesOfHex(hex: string): Bytes {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function bytesOfBase64(text: string): Bytes {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function same(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

async function hash(subtle: SubtleCrypto, prefix: number, ...parts: Bytes[]): Promise<Bytes> {
  const all = new Uint8Array(1 + parts.reduce((sum, part) => sum + part.length, 0));
  all[0] = prefix;
  let at = 1;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await subtle.digest("SHA-256", all));
}

/** The bytes that a leaf is the hash of: compact JSON with sorted object names, then the commitment to the payload. */
export function entryBytes({ entry, commitment }: Pick<Proof, "entry" | "commitment">): Bytes {
  const sorted = (value: unknown): unknown =>
    isJson(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
  return new TextEncoder().encode(JSON.stringify([...entry.map(sorted), commitment]));
}

/** The root that an entry and its path lead to; null when the path does not fit the size of the tree. */
async function rootOf(subtle: SubtleCrypto, proof: Proof): Promise<Bytes | null> {
  let at = proof.index;
  let last = proof.size - 1;
  let root = await hash(subtle, 0, entryBytes(proof));
  for (const step of proof.path.map(bytesOfHex)) {
    if (last === 0) return null;
    if (at % 2 === 1 || at === last) {
      root = await hash(subtle, 1, step, root);
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
      }
    } else {
      root = await hash(subtle, 1, root, step);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? root : null;
}

/** Size and root of a checkpoint, and whether the verifier's key signed it. */
async function signedRoot(
  subtle: SubtleCrypto,
  { checkpoint, verifier }: Proof,
): Promise<{ size: number; root: Bytes } | null> {
  const [text = "", signatures = ""] = checkpoint.split("\n\n");
  const [origin, size = "", root = ""] = text.split("\n");
  const [name = "", keyId = "", key = ""] = splitVerifier(verifier);
  const line = signatures.split("\n").find((one) => one.startsWith(`\u2014 ${name} `));
  if (line === undefined || origin !== name) return null;
  const blob = bytesOfBase64(line.slice(`\u2014 ${name} `.length)); // four bytes name the key, the rest is the signature
  if (!same(blob.slice(0, 4), bytesOfHex(keyId))) return null;
  const imported = await subtle.importKey("raw", bytesOfBase64(key).slice(1), "Ed25519", false, ["verify"]);
  const holds = await subtle.verify("Ed25519", imported, blob.slice(4), new TextEncoder().encode(`${text}\n`));
  return holds ? { size: Number(size), root: bytesOfBase64(root) } : null;
}

/** The key is base64 and may hold a plus sign itself: name and key id end at the first two. */
function splitVerifier(verifier: string): readonly string[] {
  const first = verifier.indexOf("+");
  const second = verifier.indexOf("+", first + 1);
  return [verifier.slice(0, first), verifier.slice(first + 1, second), verifier.slice(second + 1)];
}

/** Checks one entry here, in the browser; says why when it cannot. */
export async function check(proof: Proof | null, subtle: SubtleCrypto | undefined): Promise<Checked> {
  if (proof === null) return { state: "unchecked", text: "no proof came with it" };
  if (subtle === undefined)
    return { state: "unchecked", text: "not checked: this browser checks proofs over https only" };
  try {
    const signed = await signedRoot(subtle, proof);
    if (signed === null || signed.size !== proof.size)
      return { state: "failed", text: "the signature of the log is wrong" };
    const root = await rootOf(subtle, proof);
    if (root === null || !same(root, signed.root))
      return { state: "failed", text: "this entry is not in the signed log" };
    return { state: "verified", text: `verified here, ${proof.path.length} hashes` };
  } catch (error) {
    // A browser without Ed25519 throws here; a malformed proof does too, and neither counts as verified.
    const unsupported = error instanceof DOMException && error.name === "NotSupportedError";
    return unsupported
      ? { state: "unchecked", text: "not checked: this browser has no Ed25519" }
      : { state: "failed", text: "the proof cannot be read" };
  }
}
