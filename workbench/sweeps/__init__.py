"""What a sweep tries, and one run for each."""
