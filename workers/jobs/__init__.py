"""The jobs, each a screenful: find the work, call one business function, say what was done."""
