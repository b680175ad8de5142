"""The door: what is let in, what is refused, and in which words."""
