"""What counsellors know, pure: measures, scores, goals, skills, the journey. No store, no clock."""
