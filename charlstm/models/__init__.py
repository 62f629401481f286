"""Networks and n-gram counts: ids and a state in, logits and a state out; and the file that a model lies in."""
