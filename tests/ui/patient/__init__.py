"""The patient's turn and pages."""
