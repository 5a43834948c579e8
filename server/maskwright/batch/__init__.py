"""One picture or a million: what to do with each, in which order, what came of it, and going on after a stop."""
