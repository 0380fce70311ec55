"""Addresses are shown without the passwords in them, and so is what is said of them."""

from __future__ import annotations

import pytest

from workbench.secrets.addresses import hide_passwords


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://ada:hunter2@db/runs", "postgresql://ada:***@db/runs"),
        ("http://:hunter2@host:5000", "http://:***@host:5000"),
        ("ada:hunter2@host:5000", "ada:***@host:5000"),
        ("postgresql://ada:h@nter2@db/runs", "postgresql://ada:***@db/runs"),
        ("https://host/?access_token=a1b2&x=1", "https://host/?access_token=***&x=1"),
        ("http://host:5000/a@b", "http://host:5000/a@b"),
        ("sqlite:////data/a:b@c.db", "sqlite:////data/a:b@c.db"),
        ("sqlite:///mlflow.db?timeout=3", "sqlite:///mlflow.db?timeout=3"),
    ],
)
def test_a_password_is_hidden_and_nothing_else(address, shown):
    assert hide_passwords(address, address) == shown


def test_what_was_said_of_an_address_has_no_piece_of_it_either():
    assert hide_passwords("no host 'nter2@db'", "postgresql://ada:h@nter2@db/x") == "no ***ost '***@db'"
