"""The transactional state: attempts and the ledger."""
