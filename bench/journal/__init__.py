"""The journal with a million entries: the sequencer, proofs, the check of everything."""
