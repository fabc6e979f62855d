"""What the plays need: the real binary, a real Redis, a gate that breaks the line, an upstream that says what it is told."""
