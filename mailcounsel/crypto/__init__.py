"""Sealing, signing and OpenPGP; bytes in, bytes out, and nothing of the store."""
