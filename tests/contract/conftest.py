"""The database that these tests ask: a file of each test alone."""

from tests.contract.stores import address, change, path, store  # noqa: F401
