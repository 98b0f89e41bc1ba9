"""CSV and TSV files as RecBole's atomic files."""
