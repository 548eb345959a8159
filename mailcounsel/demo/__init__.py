"""A centre in a temporary place, for a newcomer to watch and to play the client."""
