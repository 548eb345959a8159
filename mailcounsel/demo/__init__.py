"""The demonstration: a whole centre on one machine, with invented clients around it."""
