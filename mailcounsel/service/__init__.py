"""What runs: the loops, the schedule, the control socket, and the only wiring."""
