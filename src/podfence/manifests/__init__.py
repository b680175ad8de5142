"""The door: bytes from outside become values of the model here, or problems; nothing behind it can fail."""
