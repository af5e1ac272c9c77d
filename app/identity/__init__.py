"""A person's and a hospital's keys and certificates: key store, profiles, cards, badges, certificate authority."""
