"""RecBole's Config with our defaults and checks, and what each setting belongs to."""
