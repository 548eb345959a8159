"""The profession: cases, queues, letters, goals, check-ins, risk, rules."""
