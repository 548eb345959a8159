"""A counselling centre that runs on ordinary email."""
