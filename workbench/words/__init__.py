"""How numbers, findings and changes read: the same words on the terminal, on a page and in a view."""
