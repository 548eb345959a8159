"""Questionnaires as data files. NOTICE says who made each, and on what terms it stands here."""
