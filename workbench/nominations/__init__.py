"""How a run becomes a nominee: planned before its score is known, and computed anew."""
