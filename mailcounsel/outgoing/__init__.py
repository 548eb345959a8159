"""A letter leaves: claimed, protected, handed to the smarthost."""
