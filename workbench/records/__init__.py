"""What everything is written with: canonical bytes, digests, documents, the clock."""
