"""What one pass of a batch shows of a network before its first step."""
