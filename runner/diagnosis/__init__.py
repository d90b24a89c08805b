"""What is known to hurt in a network before its first step, and what to write instead."""
