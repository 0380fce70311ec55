"""What was approved, byte for byte: promoted, built into a Bento and audited again."""
