"""The same run once more: whether it comes out the same, and going on with what was ended."""
