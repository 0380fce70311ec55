"""What predictions and metrics look like: plain counts, and pictures that need neither script nor library."""
