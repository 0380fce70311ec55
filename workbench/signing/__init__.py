"""Who signed what."""
