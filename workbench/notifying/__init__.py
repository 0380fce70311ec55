"""How people are told that something ended: a notice goes to every notifier that is set up."""
