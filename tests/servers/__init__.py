"""Real servers on loopback with private configuration, for tests.

Each is started and stopped by its own process, waits are bounded, nothing of the machine's own
configuration is read or changed. As root they run as an ordinary user, as they would in life.
"""
