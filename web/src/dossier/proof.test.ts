import { describe, expect, it } from "vitest";
import { check, entriesOf, type Proof } from "./proof";
import sample from "./proof.sample.json"; // two entries of a played demonstration, as the server sent them

const { subtle } = globalThis.crypto;
const entries = entriesOf({ entries: sample });
const proof = entries[0]?.proof as Proof;

describe("entries of a dossier", () => {
  it("reads who did what and when", () => {
    expect(entries).toHaveLength(2);
    expect(entries[0]).toMatchObject({
      index: 1315,
      actor: { kind: "machine", name: "this computer" },
      sentence: "sent an item to people: no certificate is in force",
    });
    expect(entries[1]?.actor).toEqual({ kind: "simulated", name: "Reviewer B" });
    expect(entries[0]?.time).toMatch(/^2026-/);
  });
  it("says when the payload was erased and leaves out what is no entry", () => {
    expect(entriesOf({ entries: [{ ...sample[0], payload: null }] })[0]?.sentence).toBe(
      "what this entry said was erased",
    );
    expect(entriesOf({ entries: [{ entry: [] }, 3, null] })).toEqual([]);
    expect(entriesOf({})).toEqual([]);
  });
});

describe("proof of an entry", () => {
  const failed = { state: "failed" };
  it("is verified with the real signature and path", async () => {
    expect(await check(proof, subtle)).toEqual({ state: "verified", text: "verified here, 9 hashes" });
    expect(await check(entries[1]?.proof ?? null, subtle)).toMatchObject({ state: "verified" });
  });
  it("fails when one character of the entry, its place or its path changes", async () => {
    const entry = [...proof.entry];
    entry[4] = "that computer";
    expect(await check({ ...proof, entry }, subtle)).toMatchObject(failed);
    expect(await check({ ...proof, commitment: proof.commitment.replace(/^./, "0") }, subtle)).toMatchObject(failed);
    expect(await check({ ...proof, index: proof.index + 1 }, subtle)).toMatchObject(failed);
    expect(await check({ ...proof, path: proof.path.slice(1) }, subtle)).toMatchObject(failed);
    expect(await check({ ...proof, path: [...proof.path, ...proof.path] }, subtle)).toMatchObject(failed);
    expect(await check({ ...proof, size: proof.size + 1 }, subtle)).toMatchObject(failed);
  });
  it("fails when the signed text, the signature or the key is another", async () => {
    expect(
      await check({ ...proof, checkpoint: proof.checkpoint.replace("\n1376\n", "\n1377\n"), size: 1377 }, subtle),
    ).toMatchObject(failed);
    expect(await check({ ...proof, checkpoint: proof.checkpoint.replace("VKwI", "VKwJ") }, subtle)).toMatchObject(
      failed,
    );
    expect(await check({ ...proof, checkpoint: proof.checkpoint.split("\n\n")[0] ?? "" }, subtle)).toMatchObject(
      failed,
    );
    expect(await check({ ...proof, checkpoint: proof.checkpoint.replace("k9eb", "k9ec") }, subtle)).toMatchObject(
      failed,
    );
    expect(await check({ ...proof, verifier: "handrail.local/other+00000000+AAAA" }, subtle)).toMatchObject(failed);
  });
  it("never claims what was not checked", async () => {
    expect(await check(null, subtle)).toMatchObject({ state: "unchecked" });
    expect(await check(proof, undefined)).toMatchObject({ state: "unchecked" });
    const refusing = {
      ...subtle,
      digest: subtle.digest.bind(subtle),
      importKey: () => Promise.reject(new DOMException("", "NotSupportedError")),
    } as unknown as SubtleCrypto;
    expect(await check(proof, refusing)).toEqual({
      state: "unchecked",
      text: "not checked: this browser has no Ed25519",
    });
  });
});
