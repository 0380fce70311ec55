"""What is measured of a run before anybody judges it."""
