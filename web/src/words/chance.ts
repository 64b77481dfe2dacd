/** Chance in words first: the word that people read before the number. */

import { fixed } from "./number";

/** The lower end of the interval picks the word when it is known. */
export function chanceWord(share: number): string {
  if (share >= 0.95) return "Very likely right";
  if (share >= 0.8) return "Likely right";
  if (share >= 0.6) return "More likely right than not";
  return "Unclear";
}

/** The sentence under an AI answer: the word of chance, then the frequency as the server says it, else the score. */
export function chanceSentence(score: number, words: string): string {
  const said = words.trim() || `score ${fixed(score, 2)}`;
  const sentence = /^\p{Lu}/u.test(said) ? said : `${chanceWord(score)}: ${said}`;
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** How many of a hundred dots are filled: never all and never none, because a score is no certainty. */
export function dotsRight(score: number): number {
  return Math.max(1, Math.min(99, Math.round(score * 100)));
}
