"""Questions about a snapshot, each a pure function of it."""
