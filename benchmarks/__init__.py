"""Measurements, each beside its peer or limit in the same run. None of them is a test."""
