"""Bytes to characters, characters to ids, ids to batches."""
