"""What is true, without I/O: records and the functions that decide."""
