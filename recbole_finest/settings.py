"""A documented path of old; the rooms are :mod:`recbole_finest.config`."""

from recbole_finest.config.settings import properties_dir

__all__ = ["properties_dir"]
