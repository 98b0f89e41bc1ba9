"""The report of a run: gathered from its folder, written as HTML, Markdown, LaTeX and CSV."""
