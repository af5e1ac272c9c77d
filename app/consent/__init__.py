"""What a consent says: the signed artefact, its plain words, its compiled provision, its receipt."""
