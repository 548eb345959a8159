"""Measurements, each beside its peer or limit in the same run. Never a test: no figure here can fail."""
