"""Files that may come from strangers: one module a format, with limits before anything is allocated."""
