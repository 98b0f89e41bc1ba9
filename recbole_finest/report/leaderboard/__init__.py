"""The leaderboard of a benchmark: which method gives the most stable lists, and at what price."""

from recbole_finest.report.leaderboard.write import main_table, write_leaderboard

__all__ = ["main_table", "write_leaderboard"]
