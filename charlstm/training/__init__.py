"""From a corpus and a request to a model on the disk."""
