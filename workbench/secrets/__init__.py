"""References to secrets, and keeping their values out of whatever is written down."""
