"""What a notebook's own text says, before it runs, about whether it can run unattended, come out the same, and be nominated."""
